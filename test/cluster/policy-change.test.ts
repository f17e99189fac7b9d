import { consumers } from '@placet/events';
import { digestOfText } from '@placet/proof';
import { eventually, releaseAfterEach, startTestCluster } from '@placet/testing';
import { expect, test } from 'vitest';
import {
  byAction,
  deployer,
  doorsOf,
  expectWorkedOff,
  ofType,
  ownMongo,
  readStream,
  upTo,
} from './support.ts';

releaseAfterEach();

/** Every text says what it decides, so that a decision can be compared with the text that its digest names. */
const textOf = (n: number) => `version: 1
rules:
  - { name: number ${n}, action: pay, decide: ${n % 2 === 0 ? 'allow' : 'deny'} }
default: deny
`;
const changes = 12;

test('a policy that changes under load counts at every instance, and no action is lost or judged twice', async () => {
  const cluster = await startTestCluster({
    mongodbUrl: await ownMongo(),
    policy: textOf(0),
    instances: { gateway: 2, policy: 3 },
  });
  const { jsm } = await deployer(cluster);
  const doors = doorsOf(cluster);
  const asked: string[] = [];
  let isOver = false;
  const asking = Promise.all(
    upTo(24).map(async (caller) => {
      const door = doors[caller % doors.length];
      for (let n = 0; !isOver; n++) {
        const { status, body } =
          (await door?.agent.check({ action_name: 'pay', payload: { caller, n } })) ?? {};
        expect(status).toBe(200);
        asked.push(body.action_id);
      }
    }),
  );
  // Whoever awaits it hears of a failure.
  asking.catch(() => {});

  const digests = new Map([[digestOfText(textOf(0)), 0]]);
  for (let n = 1; n <= changes; n++) {
    digests.set(digestOfText(textOf(n)), n);
    expect((await cluster.admin.put('/v1/policies/default', textOf(n))).status).toBe(200);
    await countsEverywhere(n);
  }
  const digest = digestOfText(textOf(0));
  const { versions } = (await cluster.admin.get('/v1/policies/default/versions')).body;
  const first = versions.find((version: { digest: string }) => version.digest === digest);
  const rolled = await cluster.admin.post('/v1/policies/default/rollback', { revision: first.revision });
  expect(rolled.body.digest).toBe(digest);
  await countsEverywhere(0);
  isOver = true;
  await asking;
  await expectWorkedOff(jsm, [consumers.policy]);

  const actions = byAction(await readStream(jsm));
  for (const id of asked) {
    const events = actions.get(id);
    const [decided, ...more] = ofType(events, 'action.decided');
    expect(more).toEqual([]);
    const [reference] = decided?.data.policies ?? [];
    const n = digests.get(reference?.digest ?? '');
    // What it was decided by says so, and no other text.
    expect(decided?.data).toMatchObject({
      decision: n !== undefined && n % 2 === 0 ? 'allowed' : 'denied',
      rule: `number ${n}`,
    });
  }

  /** As many answers in a row name it as no one instance gives, and none after them names another. */
  async function countsEverywhere(n: number): Promise<void> {
    await eventually(async () => {
      const rules = await Promise.all(
        upTo(40).map(async (k) => {
          const door = doors[k % doors.length];
          const payload = { n, k, at: Math.random() };
          return (await door?.agent.check({ action_name: 'pay', payload }))?.body.rule;
        }),
      );
      expect(new Set(rules)).toEqual(new Set([`number ${n}`]));
    });
  }
}, 120_000);
