import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from './ports.ts';

const drawing = (...drawn: number[]) => {
  const left = [...drawn];
  return () => left.shift() ?? expect.fail('nothing left to draw');
};

test('a port is given once, though nobody listens on it yet', async () => {
  const port = await freePort();
  const other = await freePort();
  expect(await freePort(drawing(port, other, port, 19_321))).toBe(19_321);
});

test('nor is it given to another process, until this one has ended', async () => {
  const port = await freePort();
  const inAnotherProcess = (first: number, then: number) =>
    execFileSync(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { freePort } from ${JSON.stringify(join(import.meta.dirname, 'ports.ts'))};
       const left = [${first}, ${then}];
       console.log(await freePort(() => left.shift() ?? process.exit(3)));`,
    ])
      .toString()
      .trim();
  expect(inAnotherProcess(port, 19_322)).toBe('19322');
  expect(inAnotherProcess(19_322, 19_323)).toBe('19322');
});

test('a port that somebody listens on is not given', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    expect(await freePort(drawing(taken, 19_324))).toBe(19_324);
  } finally {
    server.close();
  }
});
