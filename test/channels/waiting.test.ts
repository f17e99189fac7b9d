import { consumers, eventStream } from '@placet/events';
import { eventually, type FakeSlack, releaseAfterEach, type TestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { agentNamed, rawBroker } from '../support.ts';
import { ask, startWithSlack } from './slack-support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - { action: other, decide: require_approval, approvers: ["#other"] }
  - { action: "*", decide: require_approval, approvers: ["#approvals"] }
default: deny
`;
const channels = [
  { id: 'C0APPROVALS', name: 'approvals' },
  { id: 'C0OTHER', name: 'other' },
];
const start = () => startWithSlack({ channels }, { policy });

const cardsIn = (slack: FakeSlack, channel: string) =>
  slack.messages(channel).map(({ metadata }) => String(metadata?.event_payload['action_id']));

async function expectAcknowledged({ placet }: TestPlacet): Promise<void> {
  const { jsm } = await rawBroker(placet);
  await eventually(async () => {
    const { durable } = consumers.notifierSlack;
    const { num_pending, num_ack_pending } = await jsm.consumers.info(eventStream, durable);
    expect({ num_pending, num_ack_pending }).toEqual({ num_pending: 0, num_ack_pending: 0 });
  });
}

test('an agent that has people asked often holds up no other', async () => {
  const { slack, placet } = await start();
  const other = await agentNamed(placet, 'other-agent');
  const many: string[] = [];
  for (let n = 0; n < 10; n++) many.push(await ask(placet, 'refund', { payload: { n } }));
  const id = await ask({ ...placet, agent: other }, 'refund');
  await eventually(
    () => expect(new Set(cardsIn(slack, '#approvals'))).toEqual(new Set([...many, id])),
    30_000,
  );
  expect(cardsIn(slack, '#approvals').indexOf(id)).toBeLessThan(6);
});

test('what waits for its turn waits in the ledger: no other place waits with it, and a restart forgets nothing', async () => {
  const { slack, placet } = await start();
  slack.failNext('chat.postMessage', { status: 429, retryAfter: 4 });
  const waiting: string[] = [];
  for (let n = 0; n < 3; n++) waiting.push(await ask(placet, 'refund', { payload: { n } }));
  await expectAcknowledged(placet);
  const elsewhere = await ask(placet, 'other');
  await eventually(() => expect(cardsIn(slack, '#other')).toEqual([elsewhere]));
  expect(cardsIn(slack, '#approvals')).toEqual([]);
  await placet.placet.stop('notifier');
  await placet.placet.start('notifier');
  await eventually(() => expect(cardsIn(slack, '#approvals').toSorted()).toEqual(waiting.toSorted()), 30_000);
});

test('who waits for a turn and is over by then is not told any more', async () => {
  const { slack, placet } = await start();
  slack.failNext('chat.postMessage', { status: 429, retryAfter: 2 });
  const first = await ask(placet, 'refund', { payload: { n: 0 } });
  const over = await ask(placet, 'refund', { payload: { n: 1 } });
  const last = await ask(placet, 'refund', { payload: { n: 2 } });
  await expectAcknowledged(placet);
  await placet.admin.vote(over, { vote: 'approve' });
  await eventually(
    () => expect(cardsIn(slack, '#approvals').toSorted()).toEqual([first, last].toSorted()),
    30_000,
  );
});

test('what is said under a card waits for its turn as well, and is said after a restart', async () => {
  const { slack, placet } = await start();
  const id = await ask(placet, 'refund');
  await eventually(() => expect(cardsIn(slack, '#approvals')).toEqual([id]));
  slack.failNext('chat.postMessage', { status: 429, retryAfter: 2 });
  await placet.admin.post(`/v1/approvals/${id}/comments`, { comment: 'one' });
  await placet.admin.post(`/v1/approvals/${id}/comments`, { comment: 'two' });
  await expectAcknowledged(placet);
  await placet.placet.stop('notifier');
  await placet.placet.start('notifier');
  const said = () => slack.messages('#approvals').flatMap(({ threadTs, text }) => (threadTs ? [text] : []));
  await eventually(
    () => expect(said()).toEqual(['admin@example.com says: one', 'admin@example.com says: two']),
    30_000,
  );
});

test('while a place rests, what is left to be said there is not tried over and over', async () => {
  const { slack, placet } = await start();
  const id = await ask(placet, 'refund', { timeout: '5s' });
  await eventually(() => expect(cardsIn(slack, '#approvals')).toEqual([id]));
  slack.failNext('chat.postMessage', { status: 429, retryAfter: 60 }, 9);
  await placet.admin.post(`/v1/approvals/${id}/comments`, { comment: 'Is it so?' });
  const updates = () => slack.calls.filter(({ method }) => method === 'chat.update').length;
  await eventually(async () =>
    expect((await placet.agent.answer(id)).body).toMatchObject({ decision: 'denied' }),
  );
  await eventually(() => {
    const [card] = slack.messages('#approvals');
    expect(JSON.stringify(card?.blocks)).not.toContain('"button"');
  });
  // For the comment, for the end, and for what came between.
  expect(updates()).toBeLessThan(6);
});

test('what is said while a card is looked for is said under it', async () => {
  const { slack, placet } = await start();
  slack.failNext('chat.postMessage', 'answer lost');
  slack.failNext('conversations.history', { status: 503 });
  const id = await ask(placet, 'refund');
  await eventually(() => expect(cardsIn(slack, '#approvals')).toEqual([id]));
  await placet.admin.post(`/v1/approvals/${id}/comments`, { comment: 'Is it so?' });
  const said = () => slack.messages('#approvals').flatMap(({ threadTs, text }) => (threadTs ? [text] : []));
  await eventually(() => expect(said()).toEqual(['admin@example.com says: Is it so?']), 30_000);
});
