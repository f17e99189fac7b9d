import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process told apart from every other that had or will have its pid. */
export type ProcessIdentity = { pid: number; identity: string };

type ProcessDescription = ProcessIdentity & {
  /** The command line: separate arguments where the system gives them, else one string. */
  command: readonly string[];
};

const PS_TIMEOUT_MS = 5_000;
/** What `ps` prints for lstart in the C locale, e.g. "Mon Jan  5 09:08:07 2026". */
const LSTART_CHARS = 24;

/** The living process with this pid, or undefined when there is none (a zombie is none: it holds no files). */
export function describeProcess(pid: number): ProcessDescription | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return describeByProc(pid);
  if (process.platform === 'win32') return describeByPidAlone(pid);
  return describeByPs(pid);
}

export function identifyThisProcess(): ProcessIdentity {
  const described = describeProcess(process.pid);
  if (!described) throw new Error(`cannot read the start time of this process (pid ${process.pid})`);
  return { pid: described.pid, identity: described.identity };
}

export function isRunning({ pid, identity }: ProcessIdentity): boolean {
  return describeProcess(pid)?.identity === identity;
}

/** Start times are ticks since boot, and early pids repeat from boot to boot: the boot is part of the identity. */
function describeByProc(pid: number): ProcessDescription | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  // proc_pid_stat(5): the second field is the name in parentheses, and may itself hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  const startTicks = fields?.[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  const boot = readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  const command = readIfThere(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1) ?? [];
  return { pid, identity: `${boot} ${startTicks}`, command };
}

function describeByPs(pid: number): ProcessDescription | undefined {
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'lstart=,command=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: PS_TIMEOUT_MS,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  });
  const line = stdout?.trim() ?? '';
  const command = line.slice(LSTART_CHARS).trim();
  if (command === '' || command === '<defunct>' || /^\(.*\)$/.test(command)) return undefined;
  return { pid, identity: line.slice(0, LSTART_CHARS), command: [command] };
}

/** Windows tells no start time cheaply: a pid in use counts as the same process, which can only refuse too much. */
function describeByPidAlone(pid: number): ProcessDescription | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  return { pid, identity: 'unknown', command: [] };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
