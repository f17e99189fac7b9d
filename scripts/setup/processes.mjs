import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { watchAncestors } from './ancestors.mjs';
import { SetupError } from './error.mjs';

const PARENT_POLL_MS = 250;
const OUTPUT_BYTES_MAX = 1_000_000;

let active;
let endedBy;

/**
 * Ties this process, and the one child it has at a time, to its surroundings: SIGTERM and SIGHUP go on to the
 * child, and the loss of the parent is a SIGTERM. Ctrl-C reaches the whole group by itself, so it is not passed on.
 */
export function endWithParent() {
  const end = (signal) => {
    endedBy = signal;
    if (!active) process.exit(exitCodeOf(signal));
    if (signal !== 'SIGINT') active.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
  const areThere = watchAncestors(process.env);
  const poll = setInterval(() => {
    if (areThere()) return;
    clearInterval(poll);
    end('SIGTERM');
  }, PARENT_POLL_MS);
  poll.unref();
}

function exitCodeOf(signal) {
  return 128 + os.constants.signals[signal];
}

/** Runs a program of the set-up to its end; never rejects. `output` is the last of what it said. */
export function run(file, args, { cwd, env, timeoutMs, shell = false, onStart }) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      env,
      shell,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    });
    active = child;
    if (child.pid !== undefined) onStart?.(child.pid);
    let output = '';
    const collect = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_BYTES_MAX);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const finish = (result) => {
      active = undefined;
      if (endedBy) process.exit(exitCodeOf(endedBy));
      resolve({ output, ...result });
    };
    child.on('error', (error) => finish({ ok: false, problem: error.code ?? error.message }));
    child.on('close', (code, signal) => {
      const problem = signal ? `ended by ${signal}` : `exit code ${code}`;
      finish(code === 0 ? { ok: true } : { ok: false, problem });
    });
  });
}

/** Runs the command itself, with this terminal as its own, and tells how it ended. */
export function runCommand({ file, args, cwd, env }) {
  if (!existsSync(args[0])) throw new SetupError(`${path.relative(cwd, args[0])} is missing`);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: 'inherit' });
    active = child;
    child.on('error', (error) => reject(new SetupError(`${file} cannot be run: ${error.message}`)));
    child.on('exit', (code, signal) => {
      active = undefined;
      resolve({ code, signal });
    });
  });
}

/** Ends this process by the signal that ended the child, or gives the code to end with. */
export async function endProcessLike({ code, signal }) {
  if (signal === null) return { code };
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // A signal is delivered when the loop turns; the code is for those that do not end this process.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { code: exitCodeOf(signal) };
}

/** PATH without the checkout's own programs, which an installation is about to delete. */
export function pathWithoutProject(env, root) {
  const own = path.join(root, 'node_modules');
  return (env['PATH'] ?? env['Path'] ?? '')
    .split(path.delimiter)
    .filter((directory) => !path.resolve(directory).startsWith(own))
    .join(path.delimiter);
}
