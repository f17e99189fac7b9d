import { expect, test } from 'vitest';
import { backoffMs, Resources, sleep } from './lifecycle.ts';
import { createLogger } from './logger.ts';

function started() {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { resources: new Resources(createLogger({ level: 'warn', destination })), lines };
}

test('what was acquired is released in reverse order, each before the next begins', async () => {
  const { resources } = started();
  const seen: string[] = [];
  for (const name of ['store', 'connection', 'server']) {
    resources.add(name, async () => {
      seen.push(`${name} begins`);
      await sleep(1);
      seen.push(`${name} ends`);
    });
  }
  await resources.close();
  expect(seen).toEqual([
    'server begins',
    'server ends',
    'connection begins',
    'connection ends',
    'store begins',
    'store ends',
  ]);
});

test('a release that fails does not keep the others, and is named', async () => {
  const { resources, lines } = started();
  const released: string[] = [];
  resources.add('first', () => void released.push('first'));
  resources.add('rejects', () => Promise.reject(new Error('broken')));
  resources.add('throws', () => {
    throw new Error('broken');
  });
  resources.add('last', () => void released.push('last'));
  await resources.close();
  expect(released).toEqual(['last', 'first']);
  expect(lines.map((line) => JSON.parse(line).resource)).toEqual(['throws', 'rejects']);
});

test('a release that hangs is given up at the deadline, so that the others still run', async () => {
  const { resources, lines } = started();
  const released: string[] = [];
  resources.add('first', () => void released.push('first'));
  resources.add('hangs', () => new Promise<void>(() => {}));
  resources.add('hangs as well', () => new Promise<void>(() => {}));
  await resources.close(20);
  expect(released).toEqual(['first']);
  expect(lines.map((line) => JSON.parse(line).resource)).toEqual(['hangs as well', 'hangs']);
});

test('closed twice is closed once, and both wait for the end', async () => {
  const { resources } = started();
  let released = 0;
  resources.add('it', async () => {
    await sleep(5);
    released += 1;
  });
  const both = [resources.close(), resources.close()];
  await Promise.race(both);
  expect(released).toBe(1);
  await Promise.all(both);
  await resources.close();
  expect(released).toBe(1);
});

test('what is acquired while closing is released as well', async () => {
  const { resources } = started();
  const released: string[] = [];
  resources.add('it', () => resources.add('late', () => void released.push('late')));
  await resources.close();
  expect(released).toEqual(['late']);
});

test('a sleep ends with its signal, also one that was given before', async () => {
  const signal = new AbortController();
  const asleep = sleep(3_600_000, signal.signal);
  signal.abort();
  await asleep;
  await sleep(3_600_000, signal.signal);
});

test('waits grow to a ceiling and are spread, however many there were', () => {
  for (const attempt of [0, 1, 5, 10, 1000, Number.MAX_SAFE_INTEGER]) {
    const middle = Math.min(5000, 250 * 2 ** attempt);
    const ms = backoffMs(attempt);
    expect(ms).toBeGreaterThanOrEqual(middle * 0.75);
    expect(ms).toBeLessThanOrEqual(middle * 1.25);
  }
});
