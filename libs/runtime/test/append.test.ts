import { historyFilter } from '@placet/events';
import { releaseAfterEach } from '@placet/testing';
import { expect, test } from 'vitest';
import { StoreFull } from '../errors.ts';
import { readHistory, readHistoryFromLeader } from '../history.ts';
import {
  agent,
  commented,
  countOf,
  denied,
  newAction,
  placeOf,
  requested,
  startBus,
  startTwo,
  voted,
} from './support.ts';

releaseAfterEach();

test('an event is stored at the version that its author has seen', async () => {
  const { bus } = await startBus();
  const action = newAction();
  const first = await bus.append(requested(action), { version: 0 });
  expect(first).toEqual({ status: 'stored', seq: expect.any(Number) });
  const version = first.status === 'stored' ? first.seq : 0;
  expect(await bus.append(voted(action, 1), { version, number: 1 })).toMatchObject({ status: 'stored' });
});

test('One action, one decision: the second of two decisions at the same version is a conflict', async () => {
  const [one, other] = await startTwo('policy', 'decisions');
  const action = newAction();
  const stored = await one.bus.append(requested(action), { version: 0 });
  const version = stored.status === 'stored' ? stored.seq : 0;
  expect(await one.bus.append(denied(action), { version })).toMatchObject({ status: 'stored' });
  expect(await other.bus.append(denied(action, 'other'), { version })).toEqual({ status: 'conflict' });
});

test('an event at an old version is a conflict, also on a subject where nothing lies yet', async () => {
  const { bus } = await startBus();
  const action = newAction();
  const stored = await bus.append(requested(action), { version: 0 });
  const version = stored.status === 'stored' ? stored.seq : 0;
  await bus.append(voted(action, 1), { version, number: 1 });
  expect(await bus.append(voted(action, 2), { version, number: 2 })).toEqual({ status: 'conflict' });
  expect(await bus.append(denied(action), { version })).toEqual({ status: 'conflict' });
  expect(await bus.append(denied(action), { version: 0 })).toEqual({ status: 'conflict' });
});

test('a step that was taken is a conflict at the newest version too: the stream itself refuses it', async () => {
  const { bus } = await startBus();
  const action = newAction();
  const stored = await bus.append(denied(action), { version: 0 });
  const version = stored.status === 'stored' ? stored.seq : 0;
  expect(await bus.append(denied(action, 'another'), { version })).toEqual({ status: 'conflict' });
});

test("another action's events do not move an action's version", async () => {
  const { bus } = await startBus();
  const [action, other] = [newAction(), newAction()];
  const stored = await bus.append(requested(action), { version: 0 });
  await bus.append(requested(other), { version: 0 });
  await bus.note(commented(action, 'a note does not either'), 'c1');
  const version = stored.status === 'stored' ? stored.seq : 0;
  expect(await bus.append(denied(action), { version })).toMatchObject({ status: 'stored' });
});

test('One action, one decision: of 60 racers on one action one is stored, and all the others know', async () => {
  const [one, other] = await startTwo('policy', 'decisions');
  const action = newAction();
  const stored = await one.bus.append(requested(action), { version: 0 });
  const version = stored.status === 'stored' ? stored.seq : 0;
  const results = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      (i % 2 ? one : other).bus.append(denied(action, `racer ${i}`), { version }),
    ),
  );
  expect(results.filter(({ status }) => status === 'stored')).toHaveLength(1);
  expect(results.filter(({ status }) => status === 'conflict')).toHaveLength(59);
  const winner = results.findIndex(({ status }) => status === 'stored');
  const { events } = await readHistoryFromLeader(one.context, agent, action);
  expect(events.map(({ event }) => event.type)).toEqual(['action.requested', 'action.decided']);
  expect(events[1]?.event.data).toMatchObject({ reason: `racer ${winner}` });
});

test('Delivered twice is the same as once: an event whose acknowledgement was lost is stored once', async () => {
  const { bus, ...rest } = await startBus();
  const action = newAction();
  const event = requested(action);
  const first = await bus.append(event, { version: 0 });
  // The service never heard of it, and appends the same event again.
  expect(await bus.append(event, { version: 0 })).toEqual(first);
  expect(await countOf({ bus, ...rest }, historyFilter(agent, action))).toBe(1);
});

test('also when the action has moved on since', async () => {
  const { bus } = await startBus();
  const action = newAction();
  const event = requested(action);
  const first = await bus.append(event, { version: 0 });
  const version = first.status === 'stored' ? first.seq : 0;
  await bus.append(denied(action), { version });
  expect(await bus.append(event, { version: 0 })).toEqual(first);
});

test('an event that took an id from another is a conflict, not stored', async () => {
  const { bus } = await startBus();
  const [action, other] = [newAction(), newAction()];
  const event = requested(action);
  await bus.append(event, { version: 0 });
  expect(await bus.append({ ...requested(other), id: event.id }, { version: 0 })).toEqual({
    status: 'conflict',
  });
});

test('a note is stored once for its id; the same event again is that one', async () => {
  const { bus } = await startBus();
  const action = newAction();
  const note = commented(action, 'first');
  const first = await bus.note(note, 'c1');
  expect(first).toMatchObject({ status: 'stored' });
  expect(await bus.note(commented(action, 'second'), 'c1')).toEqual({ status: 'conflict' });
  expect(await bus.note(note, 'c1')).toEqual(first);
  expect(await bus.note(commented(action, 'third'), 'c2')).toMatchObject({ status: 'stored' });
});

test('everything has a limit: a full stream refuses, and that is no lost race', async () => {
  const { bus, ...rest } = await startBus({ maxBytes: 64 * 1024 });
  const payload = { text: 'x'.repeat(8 * 1024) };
  const stored: string[] = [];
  const refusal = await (async () => {
    for (;;) {
      const event = requested(newAction());
      Object.assign(event.data, { payload });
      const { status } = await bus.append(event, { version: 0 });
      expect(status).toBe('stored');
      stored.push(event.data.action_id);
    }
  })().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(StoreFull);
  // What was accepted is still there: nothing was dropped for it.
  for (const action of stored) {
    expect((await readHistory(rest.context, agent, action)).events).toHaveLength(1);
  }
  const note = commented(newAction(), 'x'.repeat(64 * 1024));
  await expect(bus.note(note, 'c1')).rejects.toBeInstanceOf(StoreFull);
});

test('each event carries the seal of its subject and body, and its id as the message id', async () => {
  const { bus, context } = await startBus();
  const event = requested(newAction());
  await bus.append(event, { version: 0 });
  const stored = await context.jsm.streams.getMessage('PLACET', { last_by_subj: placeOf(event) });
  expect(stored?.header.get('Nats-Msg-Id')).toBe(event.id);
  const seal = stored?.header.get('Placet-Seal');
  expect(context.sealer?.check(placeOf(event), stored?.data ?? '', seal)).toBe(true);
});
