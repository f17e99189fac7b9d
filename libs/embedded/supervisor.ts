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
