import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inherited } from '@placet/cluster';
import { natsServerBinary, releaseAfterEach, releaseAfterTest } from '@placet/testing';
import { expect, test } from 'vitest';

releaseAfterEach();

type Shown = {
  seed: number;
  phases: { name: string; faults: Record<string, number>; events: number }[];
  rules: { rule: string; checked: Record<string, number>; violations: unknown[] }[];
};

/** The program as `npm run faults` starts it once the set-up is done. */
async function faults(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = join(import.meta.dirname, '../../scripts/faults.ts');
  const child = spawn(process.execPath, [program, ...args], {
    env: {
      ...inherited(),
      HOME: process.env['HOME'],
      MONGODB_URL: process.env['MONGODB_URL'],
      MONGOD: process.env['MONGOD'],
      DOCKER_HOST: process.env['DOCKER_HOST'],
      PLACET_CACHE: process.env['PLACET_CACHE'],
      NATS_SERVER: natsServerBinary(),
      PLACET_SUPERVISOR_PID: String(process.pid),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  releaseAfterTest('npm run faults', async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

test('under faults of every family all rules hold, in both arrangements', async () => {
  const { code, stdout, stderr } = await faults(['--seconds', '15', '--seed', '1', '--json']);
  expect({ code, stderr: code === 0 ? '' : stderr, stdout: code === 0 ? '' : stdout }).toEqual({
    code: 0,
    stderr: '',
    stdout: '',
  });
  const { seed, phases, rules } = JSON.parse(stdout) as Shown;
  expect(seed).toBe(1);
  expect(phases.map(({ events }) => events > 0)).toEqual([true, true]);
  const done = phases.flatMap(({ faults: counts }) => Object.keys(counts));
  for (const target of ['broker', 'mongodb', 'PLACET']) {
    expect(done.filter((what) => what.startsWith(`${target}: `))).not.toEqual([]);
  }
  expect(rules.map(({ rule }) => rule.split(' ')[0])).toEqual(
    Array.from({ length: 13 }, (_, i) => String(i + 1)),
  );
  for (const { rule, checked, violations } of rules) {
    const sum = Object.values(checked).reduce((all, count) => all + count, 0);
    expect({ rule, violations, isIdle: sum === 0 }).toEqual({ rule, violations: [], isIdle: false });
  }
}, 600_000);

test('what it does not understand it says, and starts nothing', async () => {
  const { code, stdout, stderr } = await faults(['--seconds', 'many']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/--seconds is a number/);
});
