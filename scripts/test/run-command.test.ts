import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { releaseAfterEach, releaseAfterTest, temporaryDirectory } from '@placet/testing/cleanup.ts';
import { eventually } from '@placet/testing/eventually.ts';
import { expect, test } from 'vitest';
import { fakeNatsServer } from './support.ts';

releaseAfterEach();

const scripts = path.join(import.meta.dirname, '..');

/** A checkout that needs no installation, whose start command is this text. */
function checkout(start: string): string {
  const root = temporaryDirectory();
  mkdirSync(path.join(root, 'scripts'));
  mkdirSync(path.join(root, 'node_modules/node/bin'), { recursive: true });
  cpSync(path.join(scripts, 'setup.mjs'), path.join(root, 'scripts/setup.mjs'));
  cpSync(path.join(scripts, 'setup'), path.join(root, 'scripts/setup'), { recursive: true });
  symlinkSync(process.execPath, path.join(root, 'node_modules/node/bin/node'));
  writeFileSync(path.join(root, 'package.json'), '{}');
  writeFileSync(path.join(root, 'package-lock.json'), '{"packages":{}}');
  writeFileSync(path.join(root, 'node_modules/.package-lock.json'), '{"packages":{}}');
  writeFileSync(path.join(root, 'scripts/start.ts'), start);
  return root;
}

type Running = { child: ChildProcess; said: () => { out: string; err: string }; ended: Promise<unknown> };

function runSetup(root: string, args: string[]): Running {
  const env = { ...process.env, NATS_SERVER: fakeNatsServer('2.15.1') };
  const child = spawn(process.execPath, [path.join(root, 'scripts/setup.mjs'), ...args], { env, cwd: '/' });
  return follow(child);
}

function follow(child: ChildProcess): Running {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  releaseAfterTest('the command', async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, said: () => ({ out, err }), ended };
}

const untilSaid = (running: Running, text: string) =>
  eventually(() => expect(running.said().out).toContain(text));

test('the command runs in the root of the checkout, with its arguments and its exit code', async () => {
  const root = checkout(`
    const { PLACET_SUPERVISOR_PID, NATS_SERVER } = process.env;
    console.log(JSON.stringify([process.cwd(), process.argv.slice(2), Number(PLACET_SUPERVISOR_PID) === process.ppid, !!NATS_SERVER]));
    process.exitCode = 3;`);
  const running = runSetup(root, ['start', 'a b', '--c']);
  expect(await running.ended).toBe(3);
  expect(JSON.parse(running.said().out)).toEqual([root, ['a b', '--c'], true, true]);
  expect(running.said().err).toBe('');
});

test('an unknown command, and one whose file is missing, is one line and exit code 1', async () => {
  const root = checkout('');
  const unknown = runSetup(root, ['nonsense']);
  expect(await unknown.ended).toBe(1);
  expect(unknown.said().err).toBe(
    'placet: there is no command "nonsense"; there are: start, token, cluster, faults, test, bench, generate, pictures, placet, deploy:secrets, deploy:streams, deploy:admin\n',
  );
  const missing = runSetup(root, ['bench']);
  expect(await missing.ended).toBe(1);
  expect(missing.said().err).toBe('placet: bench/run.ts is missing\n');
});

test('without a name it only sets up, and says nothing when there is nothing to do', async () => {
  const running = runSetup(checkout('throw new Error()'), []);
  expect(await running.ended).toBe(0);
  expect(running.said()).toEqual({ out: '', err: '' });
});

const ENDS_SLOWLY = `
  import { writeFileSync } from 'node:fs';
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => setTimeout(() => { writeFileSync('ended-by', signal); process.exit(7); }, 50));
  }
  setInterval(() => {}, 1000);
  console.log('ready');`;

test('SIGTERM goes on to the command, and its own end is waited for', async () => {
  const root = checkout(ENDS_SLOWLY);
  const running = runSetup(root, ['start']);
  await untilSaid(running, 'ready');
  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(7);
  expect(readFileSync(path.join(root, 'ended-by'), 'utf8')).toBe('SIGTERM');
});

test('a Ctrl-C reaches the command from the terminal, and set-up waits for it', async () => {
  const root = checkout(`console.log(process.pid); ${ENDS_SLOWLY}`);
  const running = runSetup(root, ['start']);
  await untilSaid(running, 'ready');
  running.child.kill('SIGINT');
  process.kill(Number.parseInt(running.said().out, 10), 'SIGINT');
  expect(await running.ended).toBe(7);
  expect(readFileSync(path.join(root, 'ended-by'), 'utf8')).toBe('SIGINT');
});

test('the signal that ends the command ends set-up', async () => {
  const running = runSetup(checkout(`process.kill(process.pid, 'SIGKILL');`), ['start']);
  expect(await running.ended).toBe('SIGKILL');
});

test.each([
  ['its parent', 'exec node scripts/setup.mjs start'],
  ['npm, with a shell in between,', 'node scripts/setup.mjs start; exit $?'],
])('when %s is killed with -9, the command is ended', async (_who, script) => {
  const root = checkout(ENDS_SLOWLY);
  const parent = `
    require('node:child_process').spawn('sh', ['-c', '${script}'], { stdio: 'inherit' });`;
  const PATH = `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH']}`;
  const env = { ...process.env, PATH, NATS_SERVER: fakeNatsServer('2.15.1'), npm_lifecycle_event: 'start' };
  const running = follow(spawn(process.execPath, ['-e', parent], { cwd: root, env }));
  await untilSaid(running, 'ready');
  running.child.kill('SIGKILL');
  await eventually(() => expect(existsSync(path.join(root, 'ended-by'))).toBe(true));
  // The pipe closes when the last of them is gone.
  await running.ended;
});
