import { headers } from '@nats-io/transport-node';
import type { Service } from '@placet/events';
import { apiPrefixOf } from '@placet/events';
import { countTotals, releaseAfterLast, startTestCluster, type TestCluster } from '@placet/testing';
import { beforeAll, expect, test } from 'vitest';
import { deployer } from '../cluster/support.ts';
import { connectAs } from './thief.ts';

releaseAfterLast();

const policy = `version: 1
rules:
  - { name: once, action: pay, decide: allow, limit: { count: 1, per: 31d, else: deny } }
`;
const stream = 'PLACET_COUNT_MONTH';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ policy });
}, 120_000);

/** The policy service counts, so its own password is enough to count wrongly: SECURITY.md says so. */
test.each<Service>(['gateway', 'decisions', 'notifier', 'audit'])(
  'with the stolen password of the %s service on the broker no count is lowered, and none is read',
  async (user) => {
    const pay = async () =>
      (await cluster.agent.check({ action_name: 'pay', payload: { by: user, at: Math.random() } })).body;
    await pay();
    const { jsm } = await deployer(cluster);
    const { state } = await jsm.streams.info(stream, { subjects_filter: '>' });
    const [subject = ''] = Object.keys(state.subjects ?? {});
    expect(subject).toMatch(/^placetcount\.month\./);
    const before = state.last_seq;

    const nc = await connectAs(cluster, user);
    const lower = headers();
    lower.set('Nats-Incr', '-5');
    // Straight, stored as an event of its own and sent there, and what others took back once more.
    nc.publish(subject, '', { headers: lower });
    const place = `placet.sys.alarm.raised.count-${user}`;
    await nc.request(place, 'x', { headers: lower, timeout: 1000 }).catch(() => null);
    const api = apiPrefixOf(user);
    for (const [name, query] of [
      ['PLACET', { last_by_subj: place }],
      [stream, { last_by_subj: subject }],
    ] as const) {
      nc.publish(`${api}.DIRECT.GET.${name}`, JSON.stringify(query), { reply: subject });
      nc.publish(`${api}.STREAM.MSG.GET.${name}`, JSON.stringify(query), { reply: subject });
    }
    await nc.flush();
    const asked = nc.request(`${api}.DIRECT.GET.${stream}`, JSON.stringify({ last_by_subj: subject }), {
      timeout: 1000,
    });
    await expect(asked).rejects.toThrow();

    expect(await pay()).toMatchObject({ decision: 'denied', rule: 'once' });
    expect(await countTotals(jsm)).toEqual([1]);
    // Only what the policy service counted and took back of the second action.
    const added = [];
    for (let seq = before + 1; seq <= (await jsm.streams.info(stream)).state.last_seq; seq++) {
      added.push((await jsm.streams.getMessage(stream, { seq }))?.header.get('Nats-Incr'));
    }
    expect(added).toEqual(['+1', '-1']);
  },
);
