import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually, releaseAfterEach, startTestPlacet, temporaryDirectory } from '@placet/testing';
import { expect, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';

releaseAfterEach();

const asking = 'version: 1\ndefault: require_approval\n';
const allowing =
  'version: 1\nrules:\n  - { name: reads, action: read.*, decide: allow }\ndefault: require_approval\n';

async function run(env: Record<string, string>, isWatched: boolean, ...args: string[]) {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, 'policy.yaml'), allowing);
  writeFileSync(join(cwd, 'wrong.yaml'), 'version: 1\ndefault: maybe\n');
  const said = { out: '', err: '' };
  const code = await runCommandLine(['policy', 'backtest', ...args], {
    cwd,
    env,
    isWatched,
    hasColours: false,
    print: (text) => {
      said.out += text;
    },
    complain: (text) => {
      said.err += text;
    },
  });
  return { code, ...said };
}

async function withHistory() {
  const { url, admin, agent, personToken } = await startTestPlacet();
  expect((await admin.put('/v1/policies/default', asking)).status).toBe(200);
  for (const action_name of ['read.a', 'read.b', 'write.c']) await agent.check({ action_name }, '?wait=0');
  await eventually(async () => {
    const { body } = await admin.get('/v1/audit?type=action.requested');
    expect(body.records).toHaveLength(3);
  });
  return { PLACET_URL: url, PLACET_TOKEN: personToken };
}

test('a policy is tried on the requests of the past', async () => {
  const env = await withHistory();
  const { code, out, err } = await run(env, false, 'policy.yaml', '--since', '1d');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('3 requests with another policy for default');
  expect(out).toMatch(/require_approval +3 +1 +-2\n/);
  expect(out).toContain('People would be asked 2 times less (67 % of 3).');
  expect(out).toContain('require_approval -> allow: 2 (read.a 1, read.b 1); as');
  const json = await run(env, true, '--json', 'policy.yaml');
  expect(JSON.parse(json.out)).toMatchObject({ requests: 3, changed: 2, interruptions: -2 });
  expect(json.err).toMatch(/^\r\[#{30}\] 100 % {2}3 requests \r/);
});

test('what Placet refuses is told as it is', async () => {
  const env = await withHistory();
  expect(await run(env, false, 'wrong.yaml')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('line 2, column 10: default: expected allow, deny or require_approval'),
  });
  expect(await run(env, false, 'policy.yaml', '--since', 'lately')).toMatchObject({
    code: 1,
    err: expect.stringContaining('must be a span such as 30d'),
  });
  expect(await run({ ...env, PLACET_TOKEN: 'placet_person_none' }, false, 'policy.yaml')).toMatchObject({
    code: 1,
    err: 'placet: This key is unknown, revoked or expired. An administrator can make a new one.\n',
  });
  const away = await run({ ...env, PLACET_URL: 'http://127.0.0.1:9' }, false, 'policy.yaml');
  expect(away).toMatchObject({
    code: 1,
    err: expect.stringContaining('http://127.0.0.1:9 does not answer: '),
  });
});

test('neither a token nor a password is printed, whatever is wrong with it', async () => {
  const env = { PLACET_URL: 'http://user:SECRET@127.0.0.1:9', PLACET_TOKEN: 'placet_person_a' };
  const wrong = await run(env, false, 'policy.yaml');
  expect(wrong).toMatchObject({
    code: 2,
    err: expect.stringContaining('PLACET_URL holds a name or a password'),
  });
  const split = await run({ PLACET_TOKEN: 'placet_SECRET\nx' }, false, 'policy.yaml');
  expect(split).toMatchObject({ code: 2, err: expect.stringContaining('PLACET_TOKEN is no token') });
  for (const { out, err } of [wrong, split]) expect(out + err).not.toContain('SECRET');
});

test('an answer that is none of Placet is not printed', async () => {
  for (const answer of [
    '{"result":{}}',
    '{"error":"x","message":5}',
    'no JSON',
    '{"result":{"requests":"\u001b[2J"}}',
  ]) {
    const server = createServer((_request, response) => response.end(`${answer}\n`));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const env = { PLACET_URL: `http://127.0.0.1:${port}`, PLACET_TOKEN: 'placet_person_a' };
    const { code, out, err } = await run(env, false, 'policy.yaml');
    await new Promise((closed) => server.close(closed));
    expect({ code, out, err }).toEqual({
      code: 1,
      out: '',
      err: `placet: http://127.0.0.1:${port} answers what Placet does not\n`,
    });
  }
});
