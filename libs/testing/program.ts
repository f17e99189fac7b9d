import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { releaseAfterTest, temporaryDirectory } from './cleanup.ts';
import { type Client, createClient } from './client.ts';
import { eventually } from './eventually.ts';

export const checkout = resolve(import.meta.dirname, '../..');

/** A cold machine installs and fetches first. */
const readyWithinMs = 120_000;

export type ProgramOptions = {
  /** Settings by their names, beside a free port. */
  env?: Record<string, string>;
  /** A directory of the test's own, if not said. */
  dataDir?: string;
  args?: readonly string[];
};
export type Ended = { code: number | null; signal: NodeJS.Signals | null };
export type Launched = {
  dataDir: string;
  stdout(): string;
  stderr(): string;
  /** How npm ended, when everybody who shares its output has ended too: all but the broker. */
  exited: Promise<Ended>;
  /** Its process group, which is npm's pid. A broker has a group of its own. */
  group: number;
  /** What is left of it: its process group, and whoever works on its data directory. Zombies do not count. */
  processes(): Process[];
  killGroup(signal: NodeJS.Signals): void;
};

type Part = 'npm' | 'setup' | 'node' | 'broker';
export type Program = Launched & {
  url: string;
  agentKey: string;
  personToken: string;
  /** As they were when it was ready. */
  pids: Record<Part, number>;
  /** The broker is the one that runs now. */
  kill(part: Part, signal: NodeJS.Signals): void;
  /** With the first agent's key. */
  agent: Client;
  /** With the first person's token. */
  admin: Client;
};

/** The real command, as a user types it, in a process group of its own like a shell's. Waits for nothing. */
export function launchProgram({ env = {}, dataDir, args = [] }: ProgramOptions = {}): Launched {
  const data = dataDir ?? join(temporaryDirectory(), 'data');
  const child = spawn('npm', ['start', '--', ...args], {
    cwd: checkout,
    env: environment({ PLACET_DATA: data, PLACET_PORT: '0', ...env }),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const exited = new Promise<Ended>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done({ code, signal }));
  });
  exited.catch(() => {});
  const group = child.pid ?? -1;
  const processes = () => processesOf(group, data);
  releaseAfterTest(`npm start on ${data}`, async () => {
    // Again and again: a broker that is killed first is started anew by a Node that is killed next.
    await eventually(() => {
      const left = processes();
      for (const { pid } of left) signalTo(pid, 'SIGKILL');
      expectNone(left);
    });
  });
  return {
    dataDir: data,
    stdout,
    stderr,
    exited,
    group,
    processes,
    killGroup: (signal) => signalTo(-group, signal),
  };
}

/** `npm start -- --json`, ready. */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const launched = launchProgram({ ...options, args: ['--json', ...(options.args ?? [])] });
  await ready(launched, () => launched.stdout().includes('\n'));
  const { url, agentKey, personToken, dataDir } = JSON.parse(launched.stdout());
  const pids = {
    npm: pidOf(launched, 'npm'),
    setup: pidOf(launched, 'setup'),
    node: pidOf(launched, 'node'),
    broker: pidOf(launched, 'broker'),
  };
  return {
    ...launched,
    url,
    agentKey,
    personToken,
    dataDir,
    pids,
    kill: (part, signal) => signalTo(part === 'broker' ? pidOf(launched, 'broker') : pids[part], signal),
    agent: createClient(url, agentKey),
    admin: createClient(url, personToken),
  };
}

/** Waits for what a program is to say, or says itself why that will never come. */
export async function ready(launched: Launched, condition: () => boolean): Promise<void> {
  let ended: Ended | undefined;
  launched.exited.then((end) => {
    ended = end;
  });
  await eventually(() => {
    if (condition() || ended !== undefined) return;
    throw new Error(`npm start says nothing yet. stderr:\n${launched.stderr()}`);
  }, readyWithinMs);
  if (!condition()) throw new Error(`npm start ended (${JSON.stringify(ended)}):\n${launched.stderr()}`);
}

/** Another command of package.json, to its end. */
export async function runNpm(
  args: readonly string[],
  env: Record<string, string>,
): Promise<Ended & { stdout: string; stderr: string }> {
  const child = spawn('npm', args, {
    cwd: checkout,
    env: environment(env),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  releaseAfterTest(`npm ${args.join(' ')}`, () => {
    if (child.exitCode === null && child.signalCode === null) signalTo(-(child.pid as number), 'SIGKILL');
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done({ code, signal, stdout: stdout(), stderr: stderr() }));
  });
}

function collect(stream: Readable): () => string {
  let said = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return () => said;
}

/** Throws as long as something is left, and says what. */
export function expectNone(processes: Process[]): void {
  if (processes.length === 0) return;
  throw new Error(`still running:\n${processes.map(({ pid, command }) => `${pid} ${command}`).join('\n')}`);
}

/** What a user's shell would give: nothing of the npm and the test runner that we are run by. */
function environment(settings: Record<string, string>): NodeJS.ProcessEnv {
  const ours = join(checkout, 'node_modules');
  const kept = Object.entries(process.env).filter(([name]) => {
    if (name === 'PLACET_CACHE') return true;
    return !/^(PLACET_|VITEST|npm_|NODE_ENV$|TEST$|INIT_CWD$)/.test(name);
  });
  const PATH = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !resolve(directory).startsWith(ours))
    .join(delimiter);
  return { ...Object.fromEntries(kept), PATH, ...settings };
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const commands: Record<Part, RegExp> = {
  npm: /^(\S*\/)?(npm|node \S*npm\S*) start\b/,
  setup: /^\S*node\S* \S*scripts\/setup\.mjs start\b/,
  node: /^\S*node\S* \S*scripts\/start\.ts\b/,
  broker: /^\S*nats-server\S* -c /,
};

function pidOf(launched: Launched, part: Part): number {
  const processes = launched.processes();
  const found = processes.filter(({ command }) => commands[part].test(command));
  const [only, ...more] = found;
  if (only && more.length === 0) return only.pid;
  throw new Error(
    `${found.length} processes are the ${part} of npm start; there are:\n` +
      processes.map(({ pid, command }) => `${pid} ${command}`).join('\n'),
  );
}

export type Process = { pid: number; group: number; command: string };

function processesOf(group: number, dataDir: string): Process[] {
  const data = realPathOf(dataDir);
  return processTable().filter(
    (found) => found.group === group || (data !== undefined && found.command.includes(`${data}/`)),
  );
}

function realPathOf(dir: string): string | undefined {
  try {
    return realpathSync(dir);
  } catch {
    return undefined;
  }
}

/** Everything that runs on this machine; zombies run no longer. */
function processTable(): Process[] {
  return process.platform === 'linux' ? tableOfProc() : tableOfPs();
}

function tableOfProc(): Process[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // proc_pid_stat(5): the name in parentheses may hold anything; state, parent and group come after it.
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return state === 'Z' || state === 'X' ? [] : [{ pid: Number(pid), group: Number(group), command }];
    } catch {
      // It ended while we looked.
      return [];
    }
  });
}

function tableOfPs(): Process[] {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,pgid=,state=,command='], {
    encoding: 'utf8',
  });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, group, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || command === undefined || state?.startsWith('Z')) return [];
    return [{ pid: Number(pid), group: Number(group), command }];
  });
}
