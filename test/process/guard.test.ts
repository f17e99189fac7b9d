import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonWith } from '@placet/cluster/python.ts';
import { createClient, eventually, releaseAfterEach, temporaryDirectory } from '@placet/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkout, type Program, startProgram } from '../../libs/testing/program.ts';
import { runPython, testPackages } from '../../libs/testing/python.ts';

releaseAfterEach();

// Where the document from which people have it lies beside the checkout, its text is tried; otherwise ours.
const document = join(checkout, '../shared/seeds/tollgate.txt');
const source = existsSync(document)
  ? { name: 'the function in the document', ...extract(readFileSync(document, 'utf8')) }
  : {
      name: 'test/fixtures/guard.py',
      guard: readFileSync(join(checkout, 'test/fixtures/guard.py'), 'utf8'),
      policy: readFileSync(join(checkout, 'test/fixtures/tollgate-policy.yaml'), 'utf8'),
    };
process.stdout.write(`Guard for tests: ${source.name}\n`);

const cancel = { flight_number: 'PA441', passenger_name: 'Morgan Lee', confirmation_number: 'IR-D204' };

// The first time, the packages are fetched.
beforeAll(() => pythonWith(testPackages), 300_000);

describe('an agent with the guard function, with base URL and key changed alone', () => {
  test('is allowed, denied, and answered as people vote while it polls', async () => {
    const program = await startWithPolicy();
    const { admin } = program;
    const guardrail = 'version: 1\nrules:\n  - action: drop_database\n    decide: deny\n';
    await admin.put('/v1/policies/guardrail', guardrail, { 'content-type': 'application/yaml' });

    const allowed = guard(program, 'flight_status', { flight_number: 'PA441' });
    const denied = guard(program, 'drop_database', {});
    const approved = guard(program, 'cancel_flight', cancel);
    const rejected = guard(program, 'cancel_flight', { ...cancel, flight_number: 'PA442' });

    const [first, second] = await eventually(async () => {
      const { body } = await admin.get('/v1/approvals');
      expect(body.approvals).toHaveLength(2);
      return body.approvals.sort((a: Held, b: Held) => flightOf(a).localeCompare(flightOf(b)));
    });
    expect(first).toMatchObject({ payload: cancel, approvers: ['#approvals'] });
    await eventually(() => expectPolled(program));
    await admin.vote(first.id, { vote: 'approve' });
    await admin.vote(second.id, { vote: 'reject', comment: 'The customer called: keep the seat.' });

    expect(await allowed).toBe('allowed');
    expect(await denied).toBe('denied');
    expect(await approved).toBe('allowed');
    expect(await rejected).toBe('denied');
    const answer = await program.agent.answer(second.id);
    expect(answer.body).toMatchObject({ decision: 'denied', reason: 'The customer called: keep the seat.' });
  });

  test('that has no key or a wrong one is told so, and never "allowed"', async () => {
    const { url } = await startWithPolicy();
    for (const agentKey of ['tg_live_unknown', '']) {
      await expect(guard({ url, agentKey }, 'flight_status', {})).rejects.toThrow(/401|Illegal header/);
    }
  });
});

test('errors carry the codes that such clients know', async () => {
  const { url, agentKey } = await startWithPolicy();
  const check = { action_name: 'flight_status', payload: {} };
  const refusals = [
    { reply: await createClient(url).check(check), status: 401, error: 'MISSING_TOKEN' },
    { reply: await createClient(url, 'tg_live_unknown').check(check), status: 401, error: 'INVALID_API_KEY' },
    {
      reply: await createClient(url, agentKey).check({ payload: {} }),
      status: 422,
      error: 'VALIDATION_ERROR',
    },
  ];
  for (const { reply, status, error } of refusals) {
    expect(reply).toMatchObject({ status, body: { error, message: expect.any(String) } });
  }
});

type Held = { payload: { flight_number: string } };
const flightOf = ({ payload }: Held) => payload.flight_number;

async function startWithPolicy(): Promise<Program> {
  const file = join(temporaryDirectory(), 'policy.yaml');
  writeFileSync(file, source.policy);
  return startProgram({ env: { PLACET_POLICY: file } });
}

/** What the function returns; its exception is ours. */
async function guard({ url, agentKey }: Pick<Program, 'url' | 'agentKey'>, action: string, payload: object) {
  const call = 'import sys, json\nprint(asyncio.run(tollgate_guard(sys.argv[1], json.loads(sys.argv[2]))))';
  const { code, stdout, stderr } = await runPython(`${source.guard}\n${call}\n`, {
    env: { TOLLGATE_BASE_URL: url, TOLLGATE_API_KEY: agentKey },
    args: [action, JSON.stringify(payload)],
  });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Both held callers have asked again: what is voted from now on reaches them by polling. */
async function expectPolled({ admin }: Program): Promise<void> {
  const { body } = await admin.get('/metrics');
  const [, polls] =
    /placet_http_seconds_count\{route="\/v1\/check\/:id",method="GET",status="200"\} (\d+)/.exec(body) ?? [];
  expect(Number(polls)).toBeGreaterThanOrEqual(2);
}

/** The function and the policy, as they stand in the document. */
function extract(text: string): { guard: string; policy: string } {
  const [, guard] = /\npython\n(import asyncio\n.*?)\nStep 3/s.exec(text) ?? [];
  const [, policy] = /\nyaml\n(version: 1\n.*?)\n\n/s.exec(text) ?? [];
  if (!guard || !policy) throw new Error(`${document} does not hold the function and the policy any more`);
  return { guard, policy };
}
