import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const PS_TIMEOUT_MS = 2_000;

/**
 * Whether those who started this process are still there, as a function to ask again and again. npm runs a script
 * through `sh -c`, and a shell that stays in between would hide the death of npm, so its parent is watched as well.
 */
export function watchAncestors(env) {
  const parent = process.ppid;
  const npm = env['npm_lifecycle_event'] === undefined ? undefined : parentOfShell(parent);
  return () => process.ppid === parent && (npm === undefined || isStillParent(npm, parent));
}

/** The parent of the shell that npm started for this script; undefined when the parent is npm itself. */
function parentOfShell(pid) {
  const described = describe(pid);
  return described?.command.includes('scripts/setup.mjs') ? described.parent : undefined;
}

function isStillParent(npm, shell) {
  if (process.platform === 'linux') return describe(shell)?.parent === npm;
  // Elsewhere asking for a parent costs a process each time; whether npm lives can be asked for nothing.
  try {
    process.kill(npm, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function describe(pid) {
  if (process.platform === 'win32') return undefined;
  if (process.platform !== 'linux') return describeByPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc_pid_stat(5): the name in parentheses may hold anything; state and parent come after it.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return { parent, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    return undefined;
  }
}

function describeByPs(pid) {
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'ppid=,command=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: PS_TIMEOUT_MS,
  });
  const found = /^\s*(\d+)\s+(.*)/.exec(stdout ?? '');
  return found ? { parent: Number(found[1]), command: found[2] } : undefined;
}
