import { type ChildProcess, spawn } from 'node:child_process';

/** Waits for our end, whatever ended us, and then ends the process group that it was given. */
const watchdog = `
  cat >/dev/null
  kill -s KILL -- "-$1" 2>/dev/null
`;

/**
 * Sees to it that a child with a process group of its own ends when we do, even by a kill -9: a shell holds the other
 * end of a pipe and sees it close. Call the answer when the child has ended by itself.
 */
export function guarded(child: ChildProcess): () => void {
  if (child.pid === undefined) return () => {};
  const guard = spawn('/bin/sh', ['-c', watchdog, 'placet-guard', `${child.pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  // Its own end, before ours, is asked for: the process group may be another's by now.
  return () => void guard.kill('SIGKILL');
}
