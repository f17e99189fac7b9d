import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { releaseAfterEach, releaseAfterTest, temporaryDirectory } from '@placet/testing';
import { expect, test } from 'vitest';
import { BrokerInUse, brokerFiles } from '../broker-lock.ts';
import {
  type NatsServer,
  NatsServerFailed,
  type NatsServerOptions,
  readConnection,
  startNatsServer,
} from '../nats-server.ts';
import { describeProcess } from '../process-identity.ts';
import { ended, modeOf, natsServerBinary, nextLine, runFixture } from './support.ts';

releaseAfterEach();

async function start(dir: string, more: Partial<NatsServerOptions> = {}): Promise<NatsServer> {
  const server = await startNatsServer({ binary: natsServerBinary(), dir, syncAlways: false, ...more });
  releaseAfterTest('a broker', server.stop);
  return server;
}

async function connectTo({ url, user, password }: { url: string; user: string; password: string }) {
  const connection = await connect({ servers: url, user, pass: password });
  releaseAfterTest('a connection', () => connection.close());
  return connection;
}

const isGone = (pid: number) => describeProcess(pid) === undefined;

test('a broker with JetStream, reachable from this machine by its password only', async () => {
  const server = await start(path.join(temporaryDirectory(), 'a "quoted" ü dir'));
  expect(server.url).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
  await expect(connect({ servers: server.url })).rejects.toThrow(/authoriz/i);
  await expect(connect({ servers: server.url, user: server.user, pass: 'other' })).rejects.toThrow(
    /authoriz/i,
  );
  const connection = await connectTo(server);
  expect(connection.info?.max_payload).toBe(2 * 1024 ** 2);
  expect(connection.info?.jetstream).toBe(true);
});

test('what was acknowledged is there after a restart, under new credentials', async () => {
  const dir = temporaryDirectory();
  const first = await start(dir, { syncAlways: true });
  expect(readFileSync(brokerFiles(dir).config, 'utf8')).toContain('"sync_interval": "always"');
  const before = await connectTo(first);
  await (await jetstreamManager(before)).streams.add({ name: 'S', subjects: ['s'] });
  await jetstream(before).publish('s', 'kept');
  await first.stop();
  expect(await first.exited).toMatchObject({ requested: true });

  const second = await start(dir, { syncAlways: true });
  expect(second.password).not.toBe(first.password);
  const after = await jetstreamManager(await connectTo(second));
  expect((await after.streams.getMessage('S', { seq: 1 }))?.string()).toBe('kept');
});

test('only the owner can read what the broker writes', async () => {
  const dir = path.join(temporaryDirectory(), 'broker');
  mkdirSync(dir, { mode: 0o755 });
  const server = await start(dir);
  const manager = await jetstreamManager(await connectTo(server));
  await manager.streams.add({ name: 'S', subjects: ['s'] });

  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  const open = entries
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !/^[67]00$/.test(modeOf(file)));
  expect(entries.length).toBeGreaterThan(8);
  expect(open).toEqual([]);
  expect(modeOf(dir)).toBe('700');
});

test('another process of the owner finds the way to it while it runs, and only then', async () => {
  const dir = temporaryDirectory();
  const server = await start(dir);
  const { url, user, password } = server;
  expect(readConnection(dir)).toEqual({ url, user, password });
  expect(modeOf(path.join(dir, 'connection.json'))).toBe('600');
  await server.stop();
  expect(readConnection(dir)).toBeUndefined();
  expect(existsSync(brokerFiles(dir).lock)).toBe(false);
  expect(isGone(server.pid)).toBe(true);
});

test('an exit that nobody asked for is told', async () => {
  const dir = temporaryDirectory();
  const server = await start(dir);
  process.kill(server.pid, 'SIGKILL');
  expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL', requested: false });
  expect(readConnection(dir)).toBeUndefined();
  await server.stop();
  await start(dir);
});

test('a broker that ignores SIGTERM is killed', async () => {
  const server = await start(temporaryDirectory(), { stopWaitMs: 200 });
  process.kill(server.pid, 'SIGSTOP');
  await server.stop();
  expect(await server.exited).toMatchObject({ signal: 'SIGKILL', requested: true });
});

test('a program that cannot be run, and one that will not start, say why', async () => {
  const dir = temporaryDirectory();
  const missing = startNatsServer({ binary: '/does/not/exist', dir, syncAlways: false });
  await expect(missing).rejects.toBeInstanceOf(NatsServerFailed);
  const script = path.join(temporaryDirectory(), 'nats-server');
  writeFileSync(script, '#!/bin/sh\necho the store is damaged >&2\nexit 1\n', { mode: 0o755 });
  const failing = startNatsServer({ binary: script, dir, syncAlways: false });
  await expect(failing).rejects.toThrow('the store is damaged');
});

test('a second broker on the files of a running one is refused', async () => {
  const dir = temporaryDirectory();
  const server = await start(dir);
  await expect(start(dir)).rejects.toBeInstanceOf(BrokerInUse);
  expect(isGone(server.pid)).toBe(false);
  expect(readConnection(dir)).toBeDefined();
});

async function orphanBroker(dir: string): Promise<number> {
  const owner = runFixture('run-broker.ts', natsServerBinary(), dir);
  const pid = Number(await nextLine(owner));
  releaseAfterTest('an orphan', () => {
    if (!isGone(pid)) process.kill(pid, 'SIGKILL');
  });
  owner.kill('SIGKILL');
  await ended(owner);
  expect(isGone(pid)).toBe(false);
  return pid;
}

test('a broker left behind by a kill -9 is ended before another starts on its files', async () => {
  const dir = temporaryDirectory();
  const orphan = await orphanBroker(dir);
  const server = await start(dir);
  expect(isGone(orphan)).toBe(true);
  expect(server.pid).not.toBe(orphan);
});

test('a broker left behind is found by its own pid file when its record is lost', async () => {
  const dir = temporaryDirectory();
  const orphan = await orphanBroker(dir);
  rmSync(brokerFiles(dir).lock);
  await start(dir);
  expect(isGone(orphan)).toBe(true);
});

test('a broker left behind is found after its directory was moved', async () => {
  const parent = temporaryDirectory();
  const orphan = await orphanBroker(path.join(parent, 'before'));
  renameSync(path.join(parent, 'before'), path.join(parent, 'after'));
  await start(path.join(parent, 'after'));
  expect(isGone(orphan)).toBe(true);
});

test('a stopped broker left behind is ended all the same', async () => {
  const dir = temporaryDirectory();
  const orphan = await orphanBroker(dir);
  process.kill(orphan, 'SIGSTOP');
  await start(dir, { stopWaitMs: 200 });
  expect(isGone(orphan)).toBe(true);
});

async function bystander(...args: string[]): Promise<number> {
  const child = spawn('sleep', ['600', ...args], { stdio: 'ignore' });
  releaseAfterTest('a bystander', async () => {
    child.kill('SIGKILL');
    await ended(child);
  });
  if (child.pid === undefined) throw new Error('the bystander did not start');
  return child.pid;
}

const deadOwner = { pid: 2 ** 22 + 1, identity: 'long gone' };

test('a program that now has the pid of an old broker is never killed', async () => {
  const dir = temporaryDirectory();
  const files = brokerFiles(dir);
  const pid = await bystander();
  const record = { pid, identity: 'of an earlier process', config: files.config, owner: deadOwner };
  writeFileSync(files.lock, JSON.stringify(record));
  writeFileSync(files.pid, String(pid));
  await start(dir);
  expect(isGone(pid)).toBe(false);
});

test('a process that cannot be told from a broker is neither killed nor joined', async () => {
  const dir = temporaryDirectory();
  const files = brokerFiles(dir);
  const pid = await bystander();
  const identity = describeProcess(pid)?.identity;
  writeFileSync(files.lock, JSON.stringify({ pid, identity, config: files.config, owner: deadOwner }));
  await expect(start(dir)).rejects.toThrow(`process ${pid} may be a broker left behind`);
  expect(isGone(pid)).toBe(false);
});
