import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { releaseAfterEach, releaseAfterTest, temporaryDirectory } from '@placet/testing';
import { expect, test } from 'vitest';
import { DirectoryInUse, lockDirectory } from '../lock.ts';
import { identifyThisProcess } from '../process-identity.ts';
import { ended, modeOf, nextLine, runFixture } from './support.ts';

releaseAfterEach();

async function lock(dir: string) {
  const held = await lockDirectory(dir);
  releaseAfterTest('a lock', held.release);
  return held;
}

const lockFile = (dir: string) => path.join(dir, 'placet.lock');

function writeHolder(dir: string, holder: { pid: number; identity: string }) {
  const text = JSON.stringify({ ...holder, startedAt: '2026-01-01T00:00:00Z', state: 'running' });
  writeFileSync(lockFile(dir), text);
}

test('the lock says who holds it, to its owner only', async () => {
  const dir = path.join(temporaryDirectory(), 'data');
  await lock(dir);
  expect(JSON.parse(readFileSync(lockFile(dir), 'utf8'))).toMatchObject({
    pid: process.pid,
    state: 'running',
  });
  expect([dir, lockFile(dir), path.join(dir, '.placet.mutex')].map(modeOf)).toEqual(['700', '600', '600']);
});

test('a second owner is refused and told what to do, in the same process and by another name too', async () => {
  const dir = temporaryDirectory();
  await lock(dir);
  await expect(lockDirectory(dir)).rejects.toThrow(
    `Placet already runs on ${dir} (pid ${process.pid}). Stop it first, or set PLACET_DATA to another directory.`,
  );
  const alias = path.join(temporaryDirectory(), 'alias');
  symlinkSync(dir, alias);
  expect(await nextLine(runFixture('hold-lock.ts', alias))).toBe(`refused: ${process.pid}`);
});

test('a released lock can be taken again, and releasing twice does no harm', async () => {
  const dir = temporaryDirectory();
  const first = await lock(dir);
  first.release();
  expect(existsSync(lockFile(dir))).toBe(false);
  await lock(dir);
  first.release();
  first.markStopping();
  await expect(lockDirectory(dir)).rejects.toBeInstanceOf(DirectoryInUse);
});

test('the lock of an owner that was killed with -9 is taken over', async () => {
  const dir = temporaryDirectory();
  const owner = runFixture('hold-lock.ts', dir);
  expect(await nextLine(owner)).toBe('got it');
  await expect(lockDirectory(dir)).rejects.toMatchObject({ pid: owner.pid });
  owner.kill('SIGKILL');
  await ended(owner);
  expect(existsSync(lockFile(dir))).toBe(true);
  await lock(dir);
});

test('a lock whose pid now belongs to another program is taken over', async () => {
  const dir = temporaryDirectory();
  writeHolder(dir, { pid: process.ppid, identity: 'of an earlier process' });
  await lock(dir);
});

test('a living holder is believed where file locks do nothing', async () => {
  const dir = temporaryDirectory();
  writeHolder(dir, identifyThisProcess());
  await expect(lockDirectory(dir)).rejects.toBeInstanceOf(DirectoryInUse);
});

test('a half-written lock file stops nobody', async () => {
  const dir = temporaryDirectory();
  writeFileSync(lockFile(dir), '{"pid":');
  await lock(dir);
});

test('an owner that is stopping is waited for', async () => {
  const dir = temporaryDirectory();
  const first = await lock(dir);
  first.markStopping();
  const order: string[] = [];
  const successor = lock(dir).then(() => order.push('taken'));
  order.push('released');
  first.release();
  await successor;
  expect(order).toEqual(['released', 'taken']);
});

test('of many processes that find a dead owner at once, exactly one wins', async () => {
  const dir = temporaryDirectory();
  const dead = runFixture('hold-lock.ts', dir);
  await nextLine(dead);
  dead.kill('SIGKILL');
  await ended(dead);

  const racers = Array.from({ length: 8 }, () => runFixture('hold-lock.ts', dir, 'on input'));
  const outcomes = racers.map(nextLine);
  for (const racer of racers) racer.stdin?.write('go\n');
  const said = await Promise.all(outcomes);
  const winner = racers[said.indexOf('got it')];
  expect(said.filter((line) => line === 'got it')).toHaveLength(1);
  expect(said.filter((line) => line === `refused: ${winner?.pid}`)).toHaveLength(7);
});
