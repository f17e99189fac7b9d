import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.ts';

const readyTimeoutMs = 60_000;
const startAttemptsMax = 3;
const logTailChars = 2_000;

/** A server's program; `ready` throws as long as the server is not. */
export type Program = { command: string; args: string[]; ready(): Promise<void> };
export type RunningServer = { port: number; stop(): Promise<void> };

/** Starts a server on a free loopback port and in a directory of its own, both gone after `stop` or our own end. */
export async function startServer(
  program: (port: number, directory: string) => Program,
): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const directory = await mkdtemp(join(tmpdir(), 'placet-mongo-'));
    const { command, args, ready } = program(port, directory);
    const server = startOwned(command, args, directory);
    const ended = new AbortController();
    try {
      await Promise.race([until(ready, ended.signal), server.ended]);
      return { port, stop: server.stop };
    } catch (error) {
      const log = server.log();
      await server.stop();
      // Another program may have taken the port between our look and the server's start.
      if (attempt < startAttemptsMax && /address already in use/i.test(log)) continue;
      throw new Error(`${command} did not start: ${(error as Error).message}\n${log}`, { cause: error });
    } finally {
      ended.abort();
    }
  }
}

/** Waits for our end, whatever ended us; then ends the server's process group and removes its files. */
const watchdog = `
  cat >/dev/null
  kill -s KILL -- "-$1" 2>/dev/null
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    kill -s 0 -- "-$1" 2>/dev/null || break
    sleep 0.05
  done
  rm -rf -- "$2"
`;

/** A server that ends when we do, even by a kill -9: a shell holds the other end of a pipe and sees it close. */
function startOwned(command: string, args: string[], directory: string) {
  const logPath = join(directory, 'server.log');
  const log = openSync(logPath, 'a', 0o600);
  const server = spawn(command, args, { cwd: directory, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<never>((_, reject) => {
    server.once('error', reject);
    server.once('exit', (code, signal) => reject(new Error(`it ended (${signal ?? `exit code ${code}`})`)));
  });
  // A rejection after the start has nobody to hear it: the tests themselves will see that the server is gone.
  ended.catch(() => {});
  const guarded = ['-c', watchdog, 'placet-mongo-watchdog', `${server.pid ?? ''}`, directory];
  const guard =
    server.pid === undefined
      ? null
      : spawn('/bin/sh', guarded, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const gone = new Promise<void>((done) => guard?.once('exit', () => done()) ?? done());
  return {
    ended,
    log: () => (existsSync(logPath) ? readFileSync(logPath, 'utf8').slice(-logTailChars) : ''),
    stop: async () => {
      guard?.stdin?.end();
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Tries until it works; throws the last error when time is up. */
export async function until(attempt: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline || signal?.aborted) throw error;
      await sleep(50);
    }
  }
}
