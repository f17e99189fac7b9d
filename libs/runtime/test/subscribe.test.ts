import { consumers } from '@placet/events';
import { eventually, releaseAfterEach, type TestBus } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { StoreFull, Unavailable } from '../errors.ts';
import { ensureStreams } from '../streams.ts';
import { type Delivered, done, type Outcome, type Subscription, subscribe } from '../subscribe.ts';
import { agent, forge, newAction, placeOf, requested, startBus, systemEvents } from './support.ts';

releaseAfterEach();

const spec = consumers.policy;

/** Subscribes with this handler, and says what it was given. */
function handling(
  b: TestBus,
  handle: (message: Delivered) => Promise<Outcome> | Outcome,
  more: Partial<Subscription> = {},
): Delivered[] {
  const delivered: Delivered[] = [];
  subscribe(b.context, b.bus, b.alarm, b.resources, {
    spec,
    handle: async (message) => {
      delivered.push(message);
      return handle(message);
    },
    ...more,
  });
  return delivered;
}

async function ask(b: TestBus): Promise<string> {
  const action = newAction();
  await b.bus.append(requested(action), { version: 0 });
  return action;
}

async function askWithoutEnd(b: TestBus): Promise<never> {
  for (;;) await ask(b);
}

/** Down to the last bytes, which no event of ours would fit in. */
async function padWithoutEnd({ context }: TestBus): Promise<never> {
  for (let n = 0; ; n++) await context.js.publish(`placet.note.pad.pad.action.logged.${n}`, '');
}

/** How soon the broker hands a message over again that nobody settled. */
async function redeliverAfter({ context }: TestBus, ms: number): Promise<void> {
  const { config } = await context.jsm.consumers.info('PLACET', spec.durable);
  await context.jsm.consumers.update('PLACET', spec.durable, { ...config, ack_wait: ms * 1_000_000 });
}

/** Nothing is waiting and nothing is to come. */
async function settled({ context }: TestBus): Promise<void> {
  await eventually(async () => {
    // The consumer hears of a message after whoever stored it.
    const last = await context.jsm.streams.getMessage('PLACET', { last_by_subj: spec.filters[0] ?? '' });
    const info = await context.jsm.consumers.info('PLACET', spec.durable);
    expect([info.num_pending, info.num_ack_pending]).toEqual([0, 0]);
    expect(info.ack_floor.stream_seq).toBeGreaterThanOrEqual(last?.seq ?? 0);
  });
}

test('an event is handed over as it was stored, and what is done does not come again', async () => {
  const b = await startBus();
  const delivered = handling(b, () => done);
  const event = requested(newAction());
  const stored = await b.bus.append(event, { version: 0 });
  await settled(b);
  expect(delivered).toEqual([
    {
      event,
      subject: placeOf(event),
      seq: stored.status === 'stored' && stored.seq,
      deliveries: 1,
    },
  ]);
});

test('what was stored while nobody listened is handed over', async () => {
  const b = await startBus();
  const actions = [await ask(b), await ask(b), await ask(b)];
  const delivered = handling(b, () => done);
  await settled(b);
  expect(delivered.map(({ event }) => event.subject)).toEqual(actions);
});

test('what is to be tried again comes again, with its deliveries counted, until it is done', async () => {
  const b = await startBus();
  const delivered = handling(b, ({ deliveries }) =>
    deliveries < 3 ? { outcome: 'retry', afterMs: 10, reason: 'not yet' } : done,
  );
  await ask(b);
  await eventually(() => expect(delivered).toHaveLength(3));
  await settled(b);
  expect(delivered.map(({ deliveries }) => deliveries)).toEqual([1, 2, 3]);
});

test('a message that waits for its next try does not hold up the others', async () => {
  const b = await startBus();
  const slow = await ask(b);
  const delivered = handling(b, ({ event }) =>
    event.subject === slow ? { outcome: 'retry', afterMs: 3_600_000, reason: 'much later' } : done,
  );
  const quick = [await ask(b), await ask(b)];
  await eventually(() => expect(delivered.map(({ event }) => event.subject)).toEqual([slow, ...quick]));
});

test('no more handlers are at work at once than allowed', async () => {
  const b = await startBus();
  let [atWork, most] = [0, 0];
  for (let n = 0; n < 12; n++) await ask(b);
  const delivered = handling(
    b,
    async () => {
      atWork += 1;
      most = Math.max(most, atWork);
      await new Promise((resolve) => setTimeout(resolve, 2));
      atWork -= 1;
      return done;
    },
    { concurrency: 3 },
  );
  await eventually(() => expect(delivered).toHaveLength(12));
  await settled(b);
  expect(most).toBeLessThanOrEqual(3);
});

describe('Nothing vanishes: a message that cannot be handled', () => {
  test('is tried again when the handler throws, and dead after the last of its deliveries', async () => {
    const b = await startBus();
    const delivered = handling(
      b,
      () => {
        throw new Error('a fault of its own');
      },
      { deliveriesMax: 3 },
    );
    const action = await ask(b);
    const [dead] = await eventually(async () => {
      const events = await systemEvents(b, 'message.dead');
      expect(events).toHaveLength(1);
      return events;
    });
    await settled(b);
    expect(delivered.map(({ deliveries }) => deliveries)).toEqual([1, 2, 3]);
    expect(dead?.data).toEqual({
      stream: 'PLACET',
      consumer: spec.durable,
      seq: delivered[0]?.seq,
      subject: placeOf(requested(action)),
      deliveries: 3,
      reason: 'a fault of its own',
    });
    await ask(b);
    await eventually(() => expect(delivered.length).toBeGreaterThan(3));
    expect(delivered.filter(({ event }) => event.subject === action)).toHaveLength(3);
  });

  test('is dead at once when the handler says so, and the others go on', async () => {
    const b = await startBus();
    const poison = await ask(b);
    const delivered = handling(b, ({ event }) =>
      event.subject === poison ? { outcome: 'dead', reason: 'poison' } : done,
    );
    const other = await ask(b);
    await settled(b);
    expect(delivered.map(({ event }) => event.subject)).toEqual([poison, other]);
    expect((await systemEvents(b, 'message.dead')).map(({ data }) => data.reason)).toEqual(['poison']);
  });

  test.each([
    ['the broker or a store is away', new Unavailable('away')],
    ['the stream is full', new StoreFull('full')],
  ])('never dies because %s', async (_what, error) => {
    const b = await startBus();
    const delivered = handling(
      b,
      ({ deliveries }) => {
        if (deliveries < 4) throw error;
        return done;
      },
      { deliveriesMax: 1 },
    );
    await ask(b);
    await eventually(() => expect(delivered).toHaveLength(4));
    await settled(b);
    expect(await systemEvents(b, 'message.dead')).toEqual([]);
  });

  test('is not given up before its death is stored: with a full stream it comes again', async () => {
    const b = await startBus({ maxBytes: 8 * 1024 });
    await redeliverAfter(b, 1000);
    const poison = await ask(b);
    await expect(askWithoutEnd(b)).rejects.toBeInstanceOf(StoreFull);
    await expect(padWithoutEnd(b)).rejects.toThrow(/maximum bytes/);
    const delivered = handling(b, ({ event }) =>
      event.subject === poison ? { outcome: 'dead', reason: 'poison' } : done,
    );
    const dying = () => delivered.filter(({ event }) => event.subject === poison);
    await eventually(() => expect(dying().length).toBeGreaterThan(1));
    expect(await systemEvents(b, 'message.dead')).toEqual([]);
    await ensureStreams(b.context, { maxBytes: 2 ** 20, maxAgeMs: 86_400_000, replicas: 1 });
    await redeliverAfter(b, 1000);
    await eventually(async () => expect(await systemEvents(b, 'message.dead')).toHaveLength(1));
    await settled(b);
  });
});

describe('Fail closed: a message that does not carry our seal', () => {
  test('is an alarm and no event; the handler of forged messages answers it', async () => {
    const b = await startBus();
    const forged: { subject: string; seq: number }[] = [];
    const delivered = handling(b, () => done, {
      handleForged: async (message) => {
        forged.push(message);
        return done;
      },
    });
    const subject = placeOf(requested(newAction()));
    const seq = await forge(b, subject, JSON.stringify(requested(newAction())));
    await settled(b);
    expect(forged).toEqual([{ subject, seq }]);
    expect(delivered).toEqual([]);
    const alarms = await systemEvents(b, 'alarm.raised');
    expect(alarms.map(({ data }) => [data.kind, data.about])).toEqual([['wrong_seal', `PLACET/${seq}`]]);
  });

  test('comes again while its answer fails, and is one alarm however often', async () => {
    const b = await startBus();
    let tries = 0;
    handling(b, () => done, {
      handleForged: async () => {
        tries += 1;
        if (tries < 3) throw new Unavailable('away');
        return done;
      },
    });
    await forge(b, `placet.act.${agent}.${newAction()}.action.requested`, 'x');
    await eventually(() => expect(tries).toBe(3));
    await settled(b);
    expect(await systemEvents(b, 'alarm.raised')).toHaveLength(1);
  });

  test('is passed by where nobody answers it', async () => {
    const b = await startBus();
    const delivered = handling(b, () => done);
    await forge(b, `placet.act.${agent}.${newAction()}.action.requested`, 'x');
    const action = await ask(b);
    await settled(b);
    expect(delivered.map(({ event }) => event.subject)).toEqual([action]);
  });
});
