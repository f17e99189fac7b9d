import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { PlacetEvent } from '@placet/events';
import {
  type Client,
  createClient,
  eventually,
  type Reply,
  releaseAfterLast,
  startTestCluster,
  type TestCluster,
} from '@placet/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { brokerOf, consumerGroup, inStep, stepDown, streamGroup, victims } from './leaders.ts';
import {
  type Door,
  expectOneOfEach,
  expectToldTheSame,
  items,
  type Load,
  policy,
  startLoad,
} from './load.ts';
import { byAction, deployer, doorsOf, each, ofType, ownMongo, readStream, upTo } from './support.ts';

/** Three brokers, and three instances of the services between which races are run. */
let cluster: TestCluster;
let doors: Door[];
let nc: NatsConnection;
let jsm: JetStreamManager;
beforeAll(async () => {
  cluster = await startTestCluster({
    nodes: 3,
    // So that what three gateways do at one moment does come through three brokers.
    spread: true,
    instances: { gateway: 3, decisions: 3, policy: 2, audit: 2 },
    mongodbUrl: await ownMongo(),
    policy,
    env: { gateway: { PLACET_VERDICT_WAIT: '1s' } },
  });
  doors = doorsOf(cluster);
  ({ nc, jsm } = await deployer(cluster));
}, 300_000);
releaseAfterLast();

const door = (n: number) => doors[n % doors.length] as Door;

/** An answer that got lost leaves 409 behind: it was stored, and this gateway has not seen it yet. */
async function putPolicy(text: string): Promise<void> {
  await eventually(async () => {
    expect((await door(0).admin.put('/v1/policies/default', text)).status).toBe(200);
  }, 20_000);
}

async function held(n: number): Promise<string> {
  const { body } = await door(n).agent.check({ action_name: 'hold.it', payload: { n } });
  await eventually(async () =>
    expect((await door(n).agent.answer(body.action_id)).body.approval).toBeDefined(),
  );
  return body.action_id;
}

describe('fifty people who vote at one moment, through three gateways', () => {
  const quorum = 3;
  const rounds = 100;

  async function fiftyPeople(): Promise<Client[][]> {
    return Promise.all(
      upTo(50).map(async (n) => {
        const { status, body } = await door(n).admin.post('/v1/people', {
          email: `person${n}@example.com`,
          roles: ['approver'],
        });
        expect(status).toBe(201);
        return cluster.of('gateway').map(({ url }) => createClient(url, body.token));
      }),
    );
  }

  test(`are counted until ${quorum} agree, make one decision, and are all told of it`, async () => {
    const people = await fiftyPeople();
    await putPolicy(
      policy.replace('decide: require_approval', `decide: require_approval\n    quorum: ${quorum}`),
    );
    // Every instance of the policy service has it.
    await eventually(async () => {
      for (const n of upTo(10)) {
        const view = await door(n).admin.get(`/v1/approvals/${await held(1000 + n)}`);
        expect(view.body.demands).toMatchObject([{ quorum }]);
      }
    }, 20_000);
    const told = new Map<string, Reply[]>();
    for (const round of upTo(rounds)) {
      const id = await held(round);
      const waiting = door(round + 1).agent.answer(id, '?wait=30');
      // In a fifth of the rounds every other person rejects.
      const voteOf = (n: number) => (round % 5 === 4 && n % 2 === 0 ? 'reject' : 'approve');
      const votes = await Promise.all(
        people.map((person, n) => (person[(n + round) % 3] as Client).vote(id, { vote: voteOf(n) })),
      );
      told.set(id, [await waiting, ...votes]);
    }
    await putPolicy(policy);

    const actions = byAction(await readStream(jsm));
    for (const [id, replies] of told) expectOneDecision(actions.get(id) ?? [], replies);
  }, 300_000);

  function expectOneDecision(events: PlacetEvent[], [waited, ...voted]: Reply[]): void {
    const [decision, ...more] = ofType(events, 'action.decided');
    expect(more).toEqual([]);
    const { data, time } = decision as NonNullable<typeof decision>;
    const facts = {
      decision: data.decision,
      reason: data.reason,
      decided_by: data.deciders,
      decided_at: time,
    };
    expect(waited).toMatchObject({ status: 200, body: facts });
    const counted = ofType(events, 'approval.voted');
    const isRejected = counted.some(({ data: { vote } }) => vote === 'reject');
    expect(data.decision).toBe(isRejected ? 'denied' : 'allowed');
    // A rejection ends it at once; otherwise all that were needed are named, and no vote came after them.
    if (isRejected) expect(counted.length).toBeLessThanOrEqual(quorum);
    else expect(counted).toHaveLength(quorum);
    const last = counted.slice(isRejected ? -1 : 0).map(({ data: { voter } }) => `person:${voter.email}`);
    expect(data.deciders).toEqual(last);
    expect(voted.filter(({ status }) => status === 200)).toHaveLength(counted.length);
    for (const { status, body } of voted) {
      if (status === 200) expect(['pending', data.decision]).toContain(body.decision);
      else
        expect({ status, body }).toMatchObject({
          status: 409,
          body: { error: 'ALREADY_DECIDED', details: facts },
        });
    }
  }
});

describe('a lost race, over three nodes', () => {
  const racers = 24;

  async function race(rounds: number, payloadOf: (n: number) => object) {
    for (const round of upTo(rounds)) {
      const key = `race ${JSON.stringify(payloadOf(1))} ${round}`;
      const replies = await Promise.all(
        upTo(racers).map((n) => {
          const body = { action_name: 'allow.it', payload: payloadOf(n), idempotency_key: key };
          return door(n)
            .agent.check(body)
            .then((reply) => ({ n, ...reply }));
        }),
      );
      const won = replies.filter(({ status }) => status === 200);
      const lost = replies.filter(({ status }) => status !== 200);
      const [winner] = won;
      const { action_id } = winner?.body ?? {};
      for (const { body } of won) expect(body).toEqual(winner?.body);
      for (const { n, status, body } of replies) {
        const isWinners = JSON.stringify(payloadOf(n)) === JSON.stringify(payloadOf(winner?.n ?? -1));
        const conflict = { error: 'IDEMPOTENCY_CONFLICT', details: { action_id } };
        expect({ n, status, body }).toMatchObject(
          isWinners
            ? { status: 200, body: { action_id, decision: 'allowed' } }
            : { status: 409, body: conflict },
        );
      }
      expect(won.length + lost.length).toBe(racers);
      const stored = byAction(await readStream(jsm)).get(action_id) ?? [];
      expect(stored.map(({ type }) => type)).toEqual(['action.requested', 'action.decided']);
    }
  }

  test('under one key with one payload is one action, which all of them are told', () =>
    race(10, () => ({ of: 'all' })));

  test('under one key with other payloads is refused for all but one payload', () =>
    race(10, (n) => ({ of: n % 6 })));

  test('is over for everybody: a vote that was confirmed is seen at once through every gateway', async () => {
    await each(upTo(60).values(), 8, async (n) => {
      const { body } = await door(n).agent.check({ action_name: 'hold.it', payload: { n } });
      expect(body.approval).toBeDefined();
      const id = body.action_id;
      const voted = await door(n + 1).admin.vote(id, { vote: 'approve' });
      expect(voted).toMatchObject({ status: 200, body: { decision: 'allowed' } });
      const [answer, view, again] = await Promise.all([
        door(n + 2).agent.answer(id),
        door(n + 2).admin.get(`/v1/approvals/${id}`),
        door(n).admin.vote(id, { vote: 'reject' }),
      ]);
      expect(answer.body).toMatchObject({ decision: 'allowed' });
      expect(view.body).toMatchObject({
        status: 'decided',
        decision: 'allowed',
        votes: [{ vote: 'approve' }],
      });
      expect(again).toMatchObject({ status: 409, body: { error: 'ALREADY_DECIDED' } });
    });
  }, 300_000);
});

describe('under load', () => {
  /** How long NATS takes to find a leader again: a follower waits 4 to 9 s before it asks to be elected. */
  const electedWithinMs = 10_000;
  /** The promise: how long checks may be refused when a broker has died. */
  const goesOnWithinMs = 5000;

  const steady = { callers: 9, pauseMs: 200 };

  test('brokers are killed with -9: checks go on, nothing is lost, and nothing is decided twice', async () => {
    const load = startLoad(doors, items('killed'), steady);
    for (const victim of victims) {
      await load.moreAnswers(30);
      const broker = await brokerOf(cluster, jsm, victim);
      await broker.end('SIGKILL');
      const withinMs = goesOnWithinMs + (victim === 'a follower' ? 0 : electedWithinMs);
      await Promise.all(doors.map((_, n) => expectAccepted(n, `${victim} ${n}`, withinMs)));
      await expectToldLive();
      await expectConfigured();
      await broker.start();
      await inStep(jsm);
    }
    await expectNothingLost(load);
    await expectConfigured();
  }, 400_000);

  test('stream and consumer change their leader: nothing is lost, and who waits is told', async () => {
    const load = startLoad(doors, items('stepped down'), steady);
    for (const n of upTo(6)) {
      await load.moreAnswers(30);
      await stepDown(nc, jsm, n % 2 === 0 ? streamGroup : consumerGroup);
      await Promise.all(doors.map((_, i) => expectAccepted(i, `leader ${n} ${i}`, goesOnWithinMs)));
      await expectToldLive();
    }
    await expectNothingLost(load);
  }, 300_000);

  /** A check that is begun now is allowed in time, however often it has to be asked again. */
  async function expectAccepted(n: number, key: string, withinMs: number): Promise<void> {
    const body = { action_name: 'allow.it', payload: {}, idempotency_key: key };
    await eventually(async () => {
      const reply = await door(n).agent.check(body);
      expect(reply).toMatchObject({ status: 200, body: { decision: 'allowed' } });
    }, withinMs);
  }

  /** Sooner than by the next look at the stream, which whoever waits takes every 5 s. */
  const liveWithinMs = 4000;

  /** People decide, and a caller that waits at each gateway is told live. */
  async function expectToldLive(): Promise<void> {
    await eventually(async () => {
      const id = await held(0);
      const waiting = doors.map(({ agent }) => agent.answer(id, '?wait=20'));
      const voted = await door(1).admin.vote(id, { vote: 'approve' });
      expect(voted).toMatchObject({ status: 200, body: { decision: 'allowed' } });
      const told = await Promise.race([Promise.all(waiting), after(liveWithinMs)]);
      expect(told?.map(({ body }) => body.decision)).toEqual(doors.map(() => 'allowed'));
    }, 45_000);
  }

  async function expectNothingLost(load: Load): Promise<void> {
    await load.stop();
    await expectToldTheSame(doors, load.told);
    await expectOneOfEach(jsm, door(0), load.told);
  }

  /** Longer than a service takes to notice that nobody tells it of changes any more. */
  const configuredWithinMs = 12_000;

  /** Every gateway and every instance of the policy service still hears of what is changed. */
  async function expectConfigured(): Promise<void> {
    await expectOthers('deny', 'denied');
    await expectOthers('allow', 'allowed');
  }

  async function expectOthers(decide: string, decision: string): Promise<void> {
    const text = policy.replace('rules:', `rules:\n  - action: other\n    decide: ${decide}`);
    await putPolicy(text);
    await eventually(async () => {
      for (const n of upTo(20)) {
        const reply = await door(n).agent.check({ action_name: 'other', payload: { n } });
        expect(reply.body.decision).toBe(decision);
      }
    }, configuredWithinMs);
  }
});

const after = (ms: number) => new Promise<null>((resolve) => setTimeout(resolve, ms, null));
