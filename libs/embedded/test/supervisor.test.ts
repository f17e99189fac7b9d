import { existsSync } from 'node:fs';
import path from 'node:path';
import { onSupervisorGone } from '@placet/runtime';
import { eventually, releaseAfterEach, releaseAfterTest, temporaryDirectory } from '@placet/testing';
import { expect, test } from 'vitest';
import { describeProcess } from '../process-identity.ts';
import { nextLine, runFixture } from './support.ts';

releaseAfterEach();

test('the loss of a supervisor that is killed with -9 is noticed', async () => {
  const file = path.join(temporaryDirectory(), 'gone');
  const parent = runFixture('supervised.ts', 'parent', file);
  const child = Number(await nextLine(parent));
  expect(describeProcess(child)).toBeDefined();
  parent.kill('SIGKILL');
  await eventually(() => expect(existsSync(file)).toBe(true));
  await eventually(() => expect(describeProcess(child)).toBeUndefined());
});

test('without a supervisor nothing is watched', () => {
  onSupervisorGone(undefined, () => expect.unreachable())();
});

test('a supervisor that is not the parent is gone, and is reported once', async () => {
  let calls = 0;
  const dispose = onSupervisorGone(process.pid, () => calls++);
  releaseAfterTest('what is watched', dispose);
  await eventually(() => expect(calls).toBeGreaterThan(0));
  expect(calls).toBe(1);
});
