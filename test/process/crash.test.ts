import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, eventually, type Reply, releaseAfterEach, temporaryDirectory } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { expectNone, type Program, startProgram } from '../../libs/testing/program.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { startLoad } from './steady-load.ts';
import { forgetDeliveries, readStream, type Stored, typesOf } from './stream.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - action: hold.*
    decide: require_approval
  - action: deny.*
    decide: deny
default: allow
`;

describe('after a kill -9', () => {
  const kills: [string, (program: Program) => Promise<void>][] = [
    [
      'of the process group, which leaves the broker',
      async (program) => {
        program.killGroup('SIGKILL');
        await program.exited;
        await eventually(() => expectOnlyBroker(program));
      },
    ],
    [
      'of Node alone, which leaves the broker',
      async (program) => {
        program.kill('node', 'SIGKILL');
        await program.exited;
        await eventually(() => expectOnlyBroker(program));
      },
    ],
    [
      'of Node alone, after which every event is delivered once more',
      async (program) => {
        program.kill('node', 'SIGKILL');
        await program.exited;
        await forgetDeliveries(program.dataDir);
      },
    ],
    ['of npm alone, after which the rest drains and ends', (program) => drains(program, 'npm')],
    ['of setup alone, after which the rest drains and ends', (program) => drains(program, 'setup')],
    [
      'of everything, the broker too',
      async (program) => {
        program.kill('broker', 'SIGKILL');
        program.killGroup('SIGKILL');
        await eventually(() => expectNone(program.processes()));
      },
    ],
  ];

  test.each(kills)('%s, the next start finds every action as it was', async (_, kill) => {
    const receiver = await startReceiver();
    const env = { ...receiver.env, PLACET_POLICY: policyFile() };
    const first = await startProgram({ env });
    const before = await prepare(first, receiver);

    await kill(first);

    const second = await startProgram({ dataDir: first.dataDir, env });
    expect(second.agentKey).toBe(first.agentKey);
    await expectAsBefore(second, before);
    await expectStillDecidable(second, before, receiver);
  });

  async function drains(program: Program, part: 'npm' | 'setup'): Promise<void> {
    const { body } = await program.agent.check({ action_name: 'hold.wait', payload: {} });
    const waiting = program.agent.answer(body.action_id, '?wait=30');
    await eventually(async () => {
      expect((await program.admin.get('/metrics')).body).toMatch(/^placet_waiting_callers 1$/m);
    });
    program.kill(part, 'SIGKILL');
    expect(await waiting).toMatchObject({ status: 200, body });
    await eventually(() => expectNone(program.processes()));
  }

  function expectOnlyBroker({ processes, pids }: Program): void {
    expect(processes().map(({ pid }) => pid)).toEqual([pids.broker]);
  }
});

test('a broker that is killed while requests run is started again, and no request is lost or answered twice', async () => {
  const program = await startProgram({
    env: { PLACET_POLICY: policyFile(), PLACET_VERDICT_WAIT: '500ms', PLACET_LOG_LEVEL: 'silent' },
  });
  const { agent, admin, dataDir } = program;
  const load = startLoad(agent);
  const brokers = [program.pids.broker];
  for (let kills = 0; kills < 2; kills++) {
    await load.moreAnswers(20);
    program.kill('broker', 'SIGKILL');
    await load.moreAnswers(20);
    brokers.push(brokerOf(program));
  }
  const asked = await load.stop();

  expect(new Set(brokers).size).toBe(3);
  expect(program.processes().map(({ pid }) => pid)).toContain(program.pids.node);
  // A check that the broker could not take is refused as such, so that the agent asks again under its key.
  expect(load.refusals().filter(({ status, body }) => status !== 503 || !body.error)).toEqual([]);
  for (const id of asked) {
    await eventually(async () => expect((await agent.answer(id)).body.decision).toBe('allowed'), 50_000);
  }
  await expectWholeRecord(admin, dataDir, asked);
});

test('five times killed in the middle of load, Placet keeps every answer, and decides and records once', async () => {
  const env = { PLACET_POLICY: policyFile(), PLACET_VERDICT_WAIT: '300ms' };
  const actions = new Map<string, { decision: string; id: string }>();
  let program = await startProgram({ env });

  for (const round of [1, 2, 3, 4, 5]) {
    const heard = await loadUntilKilled(program, round);
    program = await startProgram({ env, dataDir: program.dataDir });
    const again = await Promise.all(requestsOf(round).map((request) => program.agent.check(request)));
    for (const [n, { status, body }] of again.entries()) {
      expect(status).toBe(200);
      expectKept(heard.checks.get(n), heard.votes.get(n), body);
      actions.set(`${round}-${n}`, { id: body.action_id, decision: expectedOf(n) });
    }
  }

  const undecided = new Map(actions);
  await eventually(async () => {
    for (const [key, { id, decision }] of undecided) {
      const { body } = await program.agent.answer(id);
      if (body.approval) await program.admin.vote(id, voteOf(decision));
      else if (body.decision !== 'pending') {
        expect({ key, decision: body.decision }).toEqual({ key, decision });
        undecided.delete(key);
      }
    }
    expect([...undecided.keys()]).toEqual([]);
  }, 50_000);
  const ids = [...actions.values()].map(({ id }) => id);
  expect(new Set(ids).size).toBe(100);
  await expectWholeRecord(program.admin, program.dataDir, ids);
}, 120_000);

type Asked = { body: { action_name: string; payload: object; idempotency_key: string }; id: string };
type Before = { asked: Record<string, Asked>; answers: Record<string, Reply['body']>; stored: Stored[] };

/** One action in each state that an action can be in. */
async function prepare({ agent, admin, dataDir }: Program, receiver: Receiver): Promise<Before> {
  const asked: Before['asked'] = {};
  const ask = async (name: string, action_name: string) => {
    const body = { action_name, payload: { for: name }, idempotency_key: `key of ${name}` };
    const id = (await agent.check(body)).body.action_id as string;
    asked[name] = { body, id };
    return id;
  };
  await ask('held', 'hold.one');
  await admin.vote(await ask('approved', 'hold.two'), { vote: 'approve', comment: 'Go ahead.' });
  await admin.vote(await ask('rejected', 'hold.three'), { vote: 'reject', comment: 'Not today.' });
  await ask('denied', 'deny.one');
  await ask('allowed', 'allow.one');
  const ran = await agent.post(`/v1/check/${await ask('executed', 'allow.two')}/execution`, {
    status: 'success',
  });
  expect(ran.status).toBe(201);

  // What was notified is on the record as notified: the held action, and two others that were also closed.
  const stored = await eventually(async () => {
    const found = await readStream(dataDir);
    expect(found.filter(({ type }) => type === 'notification.sent')).toHaveLength(5);
    return found;
  });
  expect(receiver.received).toHaveLength(5);
  return { asked, answers: await answersOf(agent, asked), stored };
}

async function answersOf(agent: Client, asked: Before['asked']): Promise<Before['answers']> {
  const answers: Before['answers'] = {};
  for (const [name, { id }] of Object.entries(asked)) answers[name] = (await agent.answer(id)).body;
  return answers;
}

async function expectAsBefore({ agent, dataDir }: Program, before: Before): Promise<void> {
  expect(await answersOf(agent, before.asked)).toEqual(before.answers);
  const { held, approved, rejected, denied, allowed, executed } = before.answers;
  expect([held, approved, rejected, denied, allowed, executed].map(({ decision }) => decision)).toEqual([
    'pending',
    'allowed',
    'denied',
    'denied',
    'allowed',
    'expired',
  ]);
  for (const [name, { body, id }] of Object.entries(before.asked)) {
    const same = await agent.check(body);
    if (name === 'executed') expect(same).toMatchObject({ status: 409, body: { error: 'ALREADY_USED' } });
    else expect(same).toMatchObject({ status: 200, body: before.answers[name] });
    const other = await agent.check({ ...body, payload: { for: 'something else' } });
    expect(other).toMatchObject({
      status: 409,
      body: { error: 'IDEMPOTENCY_CONFLICT', details: { action_id: id } },
    });
  }
  expect((await readStream(dataDir)).slice(0, before.stored.length)).toEqual(before.stored);
}

/** A person votes on what is held; nobody is told again of what they were told before. */
async function expectStillDecidable(
  { agent, admin, dataDir }: Program,
  { asked }: Before,
  receiver: Receiver,
): Promise<void> {
  const { held, approved, rejected } = asked as Record<'held' | 'approved' | 'rejected', Asked>;
  const open = await admin.get('/v1/approvals');
  expect(open.body.approvals.map(({ id }: { id: string }) => id)).toContain(held.id);
  const voted = await admin.vote(held.id, { vote: 'approve' });
  expect(voted).toMatchObject({ status: 200, body: { decision: 'allowed' } });
  expect((await agent.answer(held.id)).body.decision).toBe('allowed');
  for (const [id, vote] of [
    [approved.id, 'reject'],
    [rejected.id, 'approve'],
  ] as const) {
    const late = await admin.vote(id, { vote });
    expect(late).toMatchObject({ status: 409, body: { error: 'ALREADY_DECIDED' } });
  }
  await eventually(() => {
    for (const { id } of [held, approved, rejected]) {
      // One that was interrupted comes again when it is due, which may be after the other.
      expect(receiver.about(id).toSorted()).toEqual(['approval.closed', 'approval.needed']);
    }
  });
  await expectWholeRecord(
    admin,
    dataDir,
    Object.values(asked).map(({ id }) => id),
  );
}

/** Each action was asked for once and decided once, nothing went wrong on the way, and all of it is on the record. */
async function expectWholeRecord(admin: Client, dataDir: string, decided: string[]): Promise<void> {
  await eventually(async () => {
    const stored = await readStream(dataDir);
    for (const id of decided) {
      const types = typesOf(stored, id);
      expect(types.filter((type) => type === 'action.requested')).toHaveLength(1);
      expect(types.filter((type) => type === 'action.decided')).toHaveLength(1);
    }
    expect(stored.filter(({ subject }) => subject.startsWith('placet.sys.'))).toEqual([]);
    const recorded = await recordOf(admin);
    expect(recorded.map(({ seq, id }) => ({ seq, id }))).toEqual(stored.map(({ seq, id }) => ({ seq, id })));
  });
}

/** The record of the stream's events, in its own order. */
async function recordOf(admin: Client): Promise<{ seq: number; id: string }[]> {
  const records: { seq: number; id: string; stream: string }[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body }: Reply = await admin.get(`/v1/audit?limit=500${cursor && `&cursor=${cursor}`}`);
    records.push(...body.records);
    cursor = body.next;
  }
  return records.filter(({ stream }) => stream === 'PLACET');
}

function brokerOf({ processes }: Program): number {
  const found = processes().filter(({ command }) => /nats-server\S* -c /.test(command));
  expect(found).toHaveLength(1);
  return found[0]?.pid as number;
}

const perRound = 20;

/** A quarter is allowed and a quarter denied by the policy; people approve a quarter and reject a quarter. */
const kinds = [
  { action: 'allow.it', decision: 'allowed' },
  { action: 'deny.it', decision: 'denied' },
  { action: 'hold.it', decision: 'allowed' },
  { action: 'hold.it', decision: 'denied' },
] as const;
const kindOf = (n: number) => kinds[n % kinds.length] as (typeof kinds)[number];
const expectedOf = (n: number) => kindOf(n).decision;
const voteOf = (decision: string) => ({ vote: decision === 'allowed' ? 'approve' : 'reject' });

function requestsOf(round: number) {
  return Array.from({ length: perRound }, (_, n) => ({
    action_name: kindOf(n).action,
    payload: { round, n },
    idempotency_key: `round ${round}, request ${n}`,
  }));
}

type Heard = { checks: Map<number, Reply['body']>; votes: Map<number, Reply['body']> };

/** What agents and people were told before Node was killed, a little later in each round. */
async function loadUntilKilled({ agent, admin, kill, exited }: Program, round: number): Promise<Heard> {
  const heard: Heard = { checks: new Map(), votes: new Map() };
  const killAfter = round * 5;
  const count = () => {
    if (heard.checks.size + heard.votes.size >= killAfter) kill('node', 'SIGKILL');
  };
  const ask = async (request: object, n: number) => {
    const { status, body } = await agent.check(request);
    expect(status).toBe(200);
    heard.checks.set(n, body);
    count();
    if (!body.approval) return;
    const voted = await admin.vote(body.action_id, voteOf(expectedOf(n)));
    if (voted.status !== 200) return;
    heard.votes.set(n, voted.body);
    count();
  };
  const outcomes = await Promise.allSettled(requestsOf(round).map(ask));
  await exited;
  // Whoever was not answered saw the connection break, and nothing else.
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(TypeError);
  }
  return heard;
}

/** What was said stays said; what was not may have happened or not. */
function expectKept(check: Reply['body'], vote: Reply['body'], now: Reply['body']): void {
  if (vote) expect(now).toMatchObject({ action_id: vote.action_id, decision: vote.decision });
  else if (check && (check.decision !== 'pending' || check.approval)) {
    if (check.decision !== 'pending') expect(now).toEqual(check);
    else expect(now.payload_digest).toBe(check.payload_digest);
  }
  if (check) expect(now.action_id).toBe(check.action_id);
}

function policyFile(): string {
  const file = join(temporaryDirectory(), 'policy.yaml');
  writeFileSync(file, policy);
  return file;
}
