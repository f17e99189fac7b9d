const POLL_MS = 250;

/**
 * Calls back once when the process that started this one is gone: whoever is killed with -9 cannot say goodbye.
 * Without a pid there is nobody to watch. Returns what ends the watching.
 */
export function onSupervisorGone(supervisorPid: number | undefined, callback: () => void): () => void {
  if (supervisorPid === undefined) return () => {};
  const poll = setInterval(() => {
    if (process.ppid === supervisorPid) return;
    clearInterval(poll);
    callback();
  }, POLL_MS);
  poll.unref();
  return () => clearInterval(poll);
}

const STOP_WITHIN_MS = 4800;

/** Ends the process on a signal, and when whoever started it is gone; `stop` has until the deadline. */
export function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false;
  const end = (signal?: NodeJS.Signals) => {
    // Who presses Ctrl-C twice does not want to wait. The other signals come twice by themselves: to the process
    // group, and passed on by the set-up.
    if (stopping && signal === 'SIGINT') process.exit(1);
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  onSupervisorGone(Number(process.env['PLACET_SUPERVISOR_PID']) || undefined, () => {
    process.stderr.write('placet: the process that started this one is gone, so this one ends\n');
    end();
  });
}
