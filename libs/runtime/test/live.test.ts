import { headers } from '@nats-io/transport-node';
import { liveSubject } from '@placet/events';
import { eventually, releaseAfterEach, startTestBus, type TestBus, testSealer } from '@placet/testing';
import { expect, test } from 'vitest';
import { sealHeader } from '../context.ts';
import { followLive, type LiveEvent } from '../live.ts';
import {
  denied,
  forge,
  newAction,
  placeOf,
  requested,
  sealOf,
  startRestartable,
  startTwo,
  voted,
} from './support.ts';

releaseAfterEach();

function following(b: TestBus, isAwaited: (actionId: string) => boolean = () => true) {
  const seen = { events: [] as LiveEvent[], forged: [] as string[], progress: [] as string[], reconnects: 0 };
  followLive(b.context, b.resources, {
    isAwaited,
    onEvent: (event) => seen.events.push(event),
    onAsking: () => {},
    onProgress: (actionId) => seen.progress.push(actionId),
    onForged: (subject) => seen.forged.push(subject),
    onReconnect: () => {
      seen.reconnects += 1;
    },
  });
  return seen;
}

/** All that the broker has for this connection has come once this is answered. */
async function caughtUp({ context }: TestBus): Promise<void> {
  await context.nc.flush();
}

test('a decision comes out as it is stored', async () => {
  const [one, other] = await startTwo('decisions', 'gateway');
  const seen = following(other);
  await caughtUp(other);
  const event = denied(newAction());
  await one.bus.append(event, { version: 0 });
  await eventually(() => expect(seen.events).toEqual([event]));
  expect(seen.forged).toEqual([]);
});

test('The stream is the truth: a decision that the stream refuses does not come out', async () => {
  const [one, other] = await startTwo('decisions', 'gateway');
  const seen = following(other);
  await caughtUp(other);
  const action = newAction();
  const stored = denied(action, 'the one that is stored');
  await one.bus.append(stored, { version: 0 });
  expect(await one.bus.append(denied(action, 'at an old version'), { version: 0 })).toEqual({
    status: 'conflict',
  });
  // Well sealed, and offered without any version: the stream itself refuses it.
  const body = JSON.stringify(denied(action, 'without a version'));
  const subject = placeOf(stored);
  await expect(forge(one, subject, body, sealOf(one.context.sealer, subject, body))).rejects.toThrow();
  const last = denied(newAction());
  await one.bus.append(last, { version: 0 });
  await eventually(() => expect(seen.events).toContainEqual(last));
  expect(seen.events).toEqual([stored, last]);
});

test('what nobody waits for does not come out', async () => {
  const [one, other] = await startTwo('decisions', 'gateway');
  const seen = following(other);
  await caughtUp(other);
  const action = newAction();
  const stored = await one.bus.append(requested(action), { version: 0 });
  const version = stored.status === 'stored' ? stored.seq : 0;
  await one.bus.append(voted(action, 1), { version, number: 1 });
  const last = denied(newAction());
  await one.bus.append(last, { version: 0 });
  await eventually(() => expect(seen.events).toEqual([last]));
});

test('Fail closed: a live message of anybody else is forged and no event', async () => {
  const [one, other] = await startTwo('decisions', 'gateway');
  const seen = following(other);
  await caughtUp(other);
  const event = denied(newAction());
  const [subject, body] = [placeOf(event), JSON.stringify(event)];
  const live = liveSubject(subject);
  const seals = [
    undefined,
    '',
    testSealer().seal(subject, body),
    sealOf(one.context.sealer, placeOf(denied(newAction())), body),
    sealOf(one.context.sealer, subject, `${body} `),
  ];
  for (const seal of seals) {
    const h = headers();
    if (seal !== undefined) h.set(sealHeader, seal);
    one.context.nc.publish(live, body, { headers: h });
  }
  one.context.nc.publish(live, 'no event');
  await eventually(() => expect(seen.forged).toEqual(Array(seals.length + 1).fill(subject)));
  expect(seen.events).toEqual([]);
});

test('what is decided for a caller of another instance is not read, and forged it is an alarm all the same', async () => {
  const [one, other] = await startTwo('decisions', 'gateway');
  const [here, elsewhere, forged] = [newAction(), newAction(), newAction()];
  const seen = following(other, (action) => action === here);
  await caughtUp(other);
  await one.bus.append(denied(elsewhere), { version: 0 });
  const event = denied(forged);
  await forge(one, placeOf(event), JSON.stringify(event));
  const awaited = denied(here);
  await one.bus.append(awaited, { version: 0 });
  await eventually(() => expect(seen.events).toEqual([awaited]));
  expect(seen.forged).toEqual([placeOf(event)]);
});

test('a forged decision on the stream comes out as forged', async () => {
  const [one, other] = await startTwo('decisions', 'gateway');
  const seen = following(other);
  await caughtUp(other);
  const event = denied(newAction());
  await forge(one, placeOf(event), JSON.stringify(event));
  await eventually(() => expect(seen.forged).toEqual([placeOf(event)]));
  expect(seen.events).toEqual([]);
});

test('after a restart of the broker it says that something may be missing, and goes on', async () => {
  const { server, restart } = await startRestartable();
  const b = await startTestBus(server);
  const seen = following(b);
  await restart();
  await eventually(() => expect(seen.reconnects).toBe(1));
  const event = denied(newAction());
  await b.bus.append(event, { version: 0 });
  await eventually(() => expect(seen.events).toEqual([event]));
});
