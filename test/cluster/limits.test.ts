import type { JetStreamManager } from '@nats-io/jetstream';
import { consumers } from '@placet/events';
import { restartConsumer } from '@placet/runtime';
import { countTotals, eventually, releaseAfterEach, startTestCluster } from '@placet/testing';
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

const most = 100;
const callers = 64;
const each = 6;
/** A window that does not end before the test does. */
const windows = [60, 59, 58, 57].map((minutes) => ({
  minutes,
  left: minutes - ((Date.now() / 60_000) % minutes),
}));
const { minutes } = windows.toSorted((a, b) => b.left - a.left)[0] ?? { minutes: 60 };
const policy = `version: 1
rules:
  - name: a hundred
    action: pay
    decide: allow
    limit: { count: ${most}, per: ${minutes}m, else: deny }
default: deny
`;

test(`${callers} callers on one limit of ${most}, over three instances that are killed and get everything again`, async () => {
  const cluster = await startTestCluster({
    mongodbUrl: await ownMongo(),
    policy,
    instances: { gateway: 2, policy: 3 },
  });
  const { jsm } = await deployer(cluster);
  const doors = doorsOf(cluster);
  let isOver = false;

  const asking = Promise.all(
    upTo(callers).map(async (caller) => {
      for (const n of upTo(each)) {
        const door = doors[caller % doors.length];
        await door?.agent.check({ action_name: 'pay', payload: { caller, n } }, '?wait=0');
      }
    }),
  );
  const disturbing = (async () => {
    for (let n = 0; !isOver; n++) {
      const victim = cluster.of('policy')[n % 3];
      await victim?.end('SIGKILL');
      if (n % 3 === 0) await restartConsumer({ jsm }, consumers.policy);
      await victim?.start();
    }
  })();
  await asking;
  isOver = true;
  await disturbing;
  // Once more, with nobody disturbed: whoever was allowed by then is not counted again.
  await restartConsumer({ jsm }, consumers.policy);
  await expectWorkedOff(jsm, [consumers.policy]);

  await eventually(async () => {
    const decided = await decisions(jsm);
    expect(decided).toHaveLength(callers * each);
    expect(decided.filter((decision) => decision === 'allowed')).toHaveLength(most);
  }, 30_000);
  expect(await countTotals(jsm)).toEqual([most]);
}, 300_000);

async function decisions(jsm: JetStreamManager): Promise<string[]> {
  return [...byAction(await readStream(jsm)).values()].flatMap((events) =>
    ofType(events, 'action.decided').map(({ data }) => data.decision),
  );
}
