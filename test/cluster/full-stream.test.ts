import { eventStream } from '@placet/events';
import { eventually, type Reply, releaseAfterEach, startTestCluster } from '@placet/testing';
import { expect, test } from 'vitest';
import { type Door, expectQuiet, policy } from './load.ts';
import { byAction, deployer, doorsOf, each, expectRecorded, ofType, upTo } from './support.ts';

releaseAfterEach();

const heldFirst = 20;
const large = 'x'.repeat(60_000);

test('a stream at its cap refuses new work first, decides all that was accepted, and goes on when it may grow', async () => {
  const cluster = await startTestCluster({
    policy,
    instances: { gateway: 2 },
    streams: { PLACET_STREAM_SIZE: '16MB' },
  });
  const doors = doorsOf(cluster);
  const door = (n: number) => doors[n % doors.length] as Door;
  const { jsm } = await deployer(cluster);
  const pids = cluster.services.map((process) => process.pid());
  const ask = (n: number) => door(n).agent.check(bodyOf(n));

  const held = await Promise.all(
    upTo(heldFirst).map(async (n) => {
      const { body } = await door(n).agent.check({ action_name: 'hold.it', payload: { n } });
      return body.action_id as string;
    }),
  );
  const answers = await fill(ask, doors.length);

  const refused = answers.filter(({ status }) => status !== 200);
  for (const { body, headers } of refused) {
    expect(body).toMatchObject({ error: 'STORE_FULL' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  const { state, config } = await jsm.streams.info(eventStream);
  expect(state.bytes).toBeLessThan(config.max_bytes);
  // What was asked before is answered still, at either gateway.
  for (const n of [0, 1]) expect(await door(1).agent.check(bodyOf(n))).toMatchObject({ status: 200 });
  await each(held.entries(), 4, async ([n, id]) => {
    const comment = 'c'.repeat(4000);
    const voted = await door(n + 1).admin.vote(id, { vote: n % 2 ? 'approve' : 'reject', comment });
    expect(voted).toMatchObject({ status: 200, body: { decision: n % 2 ? 'allowed' : 'denied' } });
  });

  const accepted = answers.flatMap(({ status, body }) => (status === 200 ? [body.action_id as string] : []));
  await eventually(async () => {
    const stored = await expectRecorded(jsm, cluster.admin);
    expectQuiet(stored);
    const actions = byAction(stored);
    expect([...actions.keys()].sort()).toEqual([...held, ...accepted].sort());
    for (const events of actions.values()) expect(ofType(events, 'action.decided')).toHaveLength(1);
    for (const id of held) expect(ofType(actions.get(id), 'approval.closed')).toHaveLength(1);
  }, 30_000);

  await cluster.deployStreams({ PLACET_STREAM_SIZE: '64MB' });
  for (const n of upTo(doors.length)) {
    await eventually(async () => expect(await ask(100_000 + n)).toMatchObject({ status: 200 }));
  }
  expect(cluster.services.map((process) => process.pid())).toEqual(pids);
}, 300_000);

const bodyOf = (n: number) => ({
  action_name: 'allow.it',
  payload: { n, large },
  idempotency_key: `key ${n}`,
});

/** Asks until every gateway in a row has refused; all that was answered. */
async function fill(ask: (n: number) => Promise<Reply>, gateways: number): Promise<Reply[]> {
  const answers: Reply[] = [];
  for (let n = 0, refusals = 0; refusals < 2 * gateways; n++) {
    expect(n).toBeLessThan(1000);
    const answer = await ask(n);
    answers.push(answer);
    refusals = answer.status === 200 ? 0 : refusals + 1;
  }
  return answers;
}
