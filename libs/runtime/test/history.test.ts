import { releaseAfterEach, type TestBus, testSealer } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { eventIn, findHistory, readHistory, readHistoryFromLeader } from '../history.ts';
import {
  agent,
  commented,
  denied,
  executed,
  forge,
  newAction,
  placeOf,
  requested,
  sealOf,
  startBus,
  startTwo,
  voted,
} from './support.ts';

releaseAfterEach();

const bothWays = [
  ['any node', readHistory],
  ['the leader', readHistoryFromLeader],
] as const;

async function actionWith(b: TestBus) {
  const action = newAction();
  const first = requested(action);
  const stored = await b.bus.append(first, { version: 0 });
  return { action, first, version: stored.status === 'stored' ? stored.seq : 0 };
}

test.each(bothWays)('%s: the history is the events in their order, with the version', async (_who, read) => {
  const b = await startBus();
  const { action, first, version } = await actionWith(b);
  await actionWith(b);
  const vote = voted(action, 1);
  const second = await b.bus.append(vote, { version, number: 1 });
  const seq = second.status === 'stored' ? second.seq : 0;
  await b.bus.note(commented(action, 'not part of it'), 'c1');
  const report = executed(action);
  await b.bus.note(report, 'x1');
  expect(await read(b.context, agent, action)).toEqual({
    version: seq,
    events: [
      { seq: version, event: first },
      { seq, event: vote },
      { seq: expect.any(Number), event: report },
    ],
    forged: [],
  });
});

test.each(bothWays)('%s: an action that nobody asked for has an empty history', async (_who, read) => {
  const b = await startBus();
  expect(await read(b.context, agent, newAction())).toEqual({ version: 0, events: [], forged: [] });
});

test('any node and the leader say the same, however many events there are', async () => {
  const b = await startBus();
  let { action, version } = await actionWith(b);
  for (let number = 1; number <= 30; number++) {
    const stored = await b.bus.append(voted(action, number), { version, number });
    version = stored.status === 'stored' ? stored.seq : 0;
  }
  const history = await readHistory(b.context, agent, action);
  expect(history.events).toHaveLength(31);
  expect(history).toEqual(await readHistoryFromLeader(b.context, agent, action));
});

test('everything has a limit: reading leaves no subscription behind', async () => {
  const b = await startBus();
  const { action } = await actionWith(b);
  // The client tells nobody but itself how many it holds.
  const { protocol } = b.context.nc as unknown as { protocol: { subscriptions: { size(): number } } };
  const before = protocol.subscriptions.size();
  for (let n = 0; n < 20; n++) {
    await readHistory(b.context, agent, action);
    await findHistory(b.context, newAction());
  }
  expect(protocol.subscriptions.size()).toBe(before);
});

test('What was approved is what runs: a decision of ours about another request is as good as forged', async () => {
  const b = await startBus();
  const { action, version } = await actionWith(b);
  await b.bus.append(denied(action, 'of an earlier life', 'another request'), { version });
  const history = await readHistory(b.context, agent, action);
  expect(history.events.map(({ event }) => event.type)).toEqual(['action.requested']);
  expect(history.forged).toMatchObject([{ subject: expect.stringMatching(/action\.decided$/) }]);
});

describe('Fail closed: what does not carry our seal is listed as forged and never an event', () => {
  const other = testSealer();
  const forgeries: [string, (b: TestBus, action: string) => { body: string; seal?: string }][] = [
    ['without a seal', (_, action) => ({ body: JSON.stringify(denied(action)) })],
    ['with an empty seal', (_, action) => ({ body: JSON.stringify(denied(action)), seal: '' })],
    [
      'sealed by another key of the same name',
      (_, action) => {
        const body = JSON.stringify(denied(action));
        return { body, seal: other.seal(placeOf(denied(action)), body) };
      },
    ],
    [
      'sealed for another subject',
      ({ context }, action) => {
        const body = JSON.stringify(denied(action));
        return { body, seal: sealOf(context.sealer, placeOf(denied(newAction())), body) };
      },
    ],
    [
      'changed after it was sealed',
      ({ context }, action) => {
        const event = denied(action);
        const seal = sealOf(context.sealer, placeOf(event), JSON.stringify(event));
        return { body: JSON.stringify({ ...event, id: 'other' }), seal };
      },
    ],
    [
      'sealed, with a body that is no event',
      ({ context }, action) => ({
        body: '{}',
        seal: sealOf(context.sealer, placeOf(denied(action)), '{}'),
      }),
    ],
    [
      'sealed, with the body of another action',
      ({ context }, action) => {
        const body = JSON.stringify(denied(newAction()));
        return { body, seal: sealOf(context.sealer, placeOf(denied(action)), body) };
      },
    ],
  ];

  test.each(forgeries)('a decision %s', async (_how, make) => {
    const b = await startBus();
    const { action, first, version } = await actionWith(b);
    const subject = placeOf(denied(action));
    const { body, seal } = make(b, action);
    const seq = await forge(b, subject, body, seal);
    for (const [, read] of bothWays) {
      expect(await read(b.context, agent, action)).toEqual({
        version: seq,
        events: [{ seq: version, event: first }],
        forged: [{ seq, subject }],
      });
    }
    const found = await findHistory(b.context, action);
    expect(found && eventIn(found.history, 'action.decided')).toBeUndefined();
  });
});

test('who holds no key reads without seals', async () => {
  const b = await startBus();
  const { action } = await actionWith(b);
  const history = await readHistory({ ...b.context, sealer: null }, agent, action);
  expect(history.events).toHaveLength(1);
});

describe('an action is found by its id alone', () => {
  test('with its agent and its history', async () => {
    const [one, other] = await startTwo();
    const { action } = await actionWith(one);
    await other.bus.note(executed(action), 'x1');
    const found = await findHistory(other.context, action);
    expect(found).toEqual({ agent, history: await readHistory(other.context, agent, action) });
    expect(found?.history.events).toHaveLength(2);
  });

  test('or is null where nobody asked for it', async () => {
    const b = await startBus();
    await actionWith(b);
    expect(await findHistory(b.context, newAction())).toBeNull();
  });

  test("a message forged before it, in another agent's name or of no type, hides neither agent nor history", async () => {
    const b = await startBus();
    const action = newAction();
    await forge(b, `placet.act.other.${action}.action.invented`, '{}');
    await forge(b, placeOf(requested(action, 'other')), '{}');
    const event = requested(action);
    expect(await b.bus.append(event, { version: 0 })).toMatchObject({ status: 'stored' });
    const found = await findHistory(b.context, action);
    expect(found).toEqual({ agent, history: await readHistory(b.context, agent, action) });
  });

  test('an action of which only forged messages exist is found as such', async () => {
    const b = await startBus();
    const action = newAction();
    const seq = await forge(b, placeOf(requested(action)), '{}');
    expect(await findHistory(b.context, action)).toMatchObject({
      agent,
      history: { events: [], forged: [{ seq }] },
    });
  });
});
