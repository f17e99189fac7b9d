import { eventually, releaseAfterEach, type TestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { alarmKinds, messagesIn, rawBroker } from '../support.ts';
import { ask, cardOf, policy, startWithSlack, textOf } from './slack-support.ts';

releaseAfterEach();

const byName = `${policy.replace(/default: .*/, '')}  - { action: ann, decide: require_approval, approvers: ["user:ann@example.com"] }
default: require_approval
`;

const ofType = async ({ admin }: TestPlacet, id: string, type: string) =>
  (await admin.get(`/v1/audit?action=${id}&type=${type}`)).body.records.map(
    (record: { body: string }) => JSON.parse(record.body).data,
  );
const recorded = (placet: TestPlacet, id: string, type: string) =>
  eventually(async () => {
    const [data] = await ofType(placet, id, type);
    expect(data).toBeDefined();
    return data;
  });

test.each([
  ['429', { status: 429, retryAfter: 1 }],
  ['500', { status: 500 }],
  ['a connection that is cut', 'hang up'],
  ['an answer that is lost', 'answer lost'],
] as const)('%s: there is one card in the end', async (_, failure) => {
  const { slack, placet } = await startWithSlack();
  // From a card before, it is known where to look for another.
  await cardOf(slack, await ask(placet, 'refund.create', { payload: { n: 0 } }));
  slack.failNext('chat.postMessage', failure);
  const id = await ask(placet, 'refund.create', { payload: { n: 1 } });
  await cardOf(slack, id);
  expect(await recorded(placet, id, 'notification.sent')).toMatchObject({
    channel: 'slack',
    target: '#approvals',
  });
  expect(slack.messages('#approvals')).toHaveLength(2);
});

test.each([
  ['not_in_channel', 'invite the app'],
  ['is_archived', 'archived'],
  ['token_revoked', 'PLACET_SLACK_BOT_TOKEN'],
] as const)(
  '%s: it is an event that says what to do, and the approval is decided elsewhere',
  async (problem, words) => {
    const { slack, placet } = await startWithSlack();
    if (problem === 'not_in_channel') slack.changeChannel('#approvals', { member: false });
    if (problem === 'is_archived') slack.changeChannel('#approvals', { archived: true });
    if (problem === 'token_revoked') slack.revokeToken();
    const id = await ask(placet, 'refund.create');
    const failedThere = async () => {
      const failed = await ofType(placet, id, 'notification.failed');
      return failed.filter(({ target }: { target: string }) => target === '#approvals');
    };
    await eventually(async () =>
      expect(await failedThere()).toMatchObject([
        { channel: 'slack', error: expect.stringContaining(words) },
      ]),
    );
    expect((await placet.admin.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
    expect(await failedThere()).toHaveLength(1);
  },
);

test('a card that Slack refused to change is told as such, and changed with the next event', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.two');
  const { channel, ts } = await cardOf(slack, id);
  await recorded(placet, id, 'notification.sent');
  slack.revokeToken();
  await placet.admin.vote(id, { vote: 'approve' });
  expect(await recorded(placet, id, 'notification.failed')).toMatchObject({
    target: '#approvals',
    about_type: 'approval.voted',
    error: expect.stringContaining('PLACET_SLACK_BOT_TOKEN'),
  });
  slack.revokeToken(null);
  await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve' });
  await eventually(async () => expect(textOf(await cardOf(slack, id))).toContain('Allowed by'));
  expect(textOf(await cardOf(slack, id))).not.toContain('"button"');
  expect(await ofType(placet, id, 'notification.failed')).toHaveLength(1);
});

/** A notifier that was stopped while nobody knew whether the second card had been sent. */
async function stopUnsure() {
  const { slack, placet } = await startWithSlack();
  await cardOf(slack, await ask(placet, 'refund.create', { payload: { n: 0 } }));
  slack.failNext('chat.postMessage', 'answer lost');
  const id = await ask(placet, 'refund.create', { payload: { n: 1 } });
  await eventually(() => expect(slack.messages('#approvals')).toHaveLength(2));
  await placet.placet.stop('notifier');
  return { slack, placet, id };
}

test('a notifier that is stopped while nobody knows what was sent leaves one card', async () => {
  const { slack, placet, id } = await stopUnsure();
  await placet.placet.start('notifier');
  expect((await placet.admin.vote(id, { vote: 'reject', comment: 'No.' })).body.decision).toBe('denied');
  await eventually(async () =>
    expect(textOf(await cardOf(slack, id))).toContain('Denied by admin@example.com: No.'),
  );
  expect(slack.messages('#approvals')).toHaveLength(2);
});

test.each([
  ['card in a channel', 'refund.create', '#approvals'],
  ['message to a person', 'ann', 'U0ANN'],
])(
  'the very first %s is found where nobody knows whether it was sent, and ends',
  async (_, action, place) => {
    const { slack, placet } = await startWithSlack({}, { policy: byName });
    slack.failNext('chat.postMessage', 'answer lost');
    const id = await ask(placet, action);
    await eventually(() => expect(slack.messages(place)).toHaveLength(1));
    await placet.agent.delete(`/v1/check/${id}`);
    await eventually(() => {
      const [card] = slack.messages(place);
      expect(card && textOf(card)).toContain('withdrew');
    });
    expect(slack.messages(place)).toHaveLength(1);
    const asks = slack.calls.filter(({ method }) => /conversations\.(list|open)/.test(method));
    await ask(placet, action, { payload: { n: 1 } });
    await eventually(() => expect(slack.messages(place)).toHaveLength(2));
    expect(slack.calls.filter(({ method }) => /conversations\.(list|open)/.test(method))).toEqual(asks);
  },
);

test('a card is not looked for among what other apps say of the same action', async () => {
  const { slack, placet, id } = await stopUnsure();
  const [, card] = slack.messages('#approvals');
  if (!card?.metadata) throw new Error('a card has metadata');
  const { metadata } = card;
  slack.say({ user: 'U0OTHERBOT', channel: '#approvals', text: 'As if it were the card.', metadata });
  await placet.placet.start('notifier');
  await placet.agent.delete(`/v1/check/${id}`);
  await eventually(() => expect(textOf(card)).toContain('withdrew'));
  expect(slack.messages('#approvals')).toHaveLength(3);
});

test('what may ask people after the end and cannot be looked for is told, once', async () => {
  const { slack, placet } = await startWithSlack();
  slack.failNext('conversations.list', 'missing_scope', 9);
  slack.failNext('chat.postMessage', 'answer lost');
  const id = await ask(placet, 'refund.create');
  await eventually(() => expect(slack.messages('#approvals')).toHaveLength(1));
  await placet.agent.delete(`/v1/check/${id}`);
  expect(await recorded(placet, id, 'notification.failed')).toMatchObject({
    target: '#approvals',
    error: expect.stringContaining('may still ask people'),
  });
  expect(await ofType(placet, id, 'notification.failed')).toHaveLength(1);
});

test('what may have been sent shortly before the deadline is told as failed, and ends', async () => {
  const { slack, placet } = await startWithSlack();
  slack.failNext('chat.postMessage', 'answer lost');
  const id = await ask(placet, 'refund.create', { timeout: '1s' });
  expect(await recorded(placet, id, 'notification.failed')).toMatchObject({ about_type: 'approval.needed' });
  await eventually(async () => expect(textOf(await cardOf(slack, id))).not.toContain('"button"'));
  expect(slack.messages('#approvals')).toHaveLength(1);
  expect(await ofType(placet, id, 'notification.failed')).toHaveLength(1);
});

test('what was decided while nobody could tell Slack stands there as soon as somebody can', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.two');
  await cardOf(slack, id);
  await placet.placet.stop('notifier');
  await placet.admin.vote(id, { vote: 'reject', comment: 'Too much.' });
  const unseen = await ask(placet, 'refund.create', { payload: { unseen: true } });
  await placet.admin.vote(unseen, { vote: 'approve' });
  await placet.placet.start('notifier');
  await eventually(async () =>
    expect(textOf(await cardOf(slack, id))).toContain('Denied by admin@example.com'),
  );
  // Of what is over by now nobody needs to be asked.
  expect(slack.messages('#approvals')).toHaveLength(1);
});

test('what somebody puts under an approval without being us is not waited for', async () => {
  const { slack, placet } = await startWithSlack();
  const raw = await rawBroker(placet.placet);
  const id = await ask(placet, 'refund.two');
  await placet.admin.vote(id, { vote: 'approve' });
  await eventually(async () => expect(textOf(await cardOf(slack, id))).toContain('1 of 2'));
  const voted = (await messagesIn(raw)).find(({ subject }) => subject.includes(`${id}.approval.voted.1`));
  const forged = JSON.parse(voted?.text ?? '');
  const forge = (number: number) => {
    const data = { ...forged.data, number, payload_digest: `sha256:${'0'.repeat(64)}` };
    const subject = voted?.subject.replace(/1$/, String(number)) ?? '';
    return raw.js.publish(subject, JSON.stringify({ ...forged, id: `forged ${number}`, data }));
  };
  await forge(2);
  // Who decides denies it for that; the card says so, with the one vote that was given.
  await eventually(async () => expect(textOf(await cardOf(slack, id))).toContain('Placet did not write'));
  expect(textOf(await cardOf(slack, id)).match(/admin@example.com approved/g)).toHaveLength(1);
  // After the end nothing follows that would bring the cards up to date.
  await forge(3);
  await eventually(async () => {
    const { num_pending, num_ack_pending } = await raw.jsm.consumers.info('PLACET', 'notifier-slack');
    expect({ num_pending, num_ack_pending }).toEqual({ num_pending: 0, num_ack_pending: 0 });
  });
});

test('how it ended stands on a card only if who decides has said so', async () => {
  const { slack, placet } = await startWithSlack();
  const raw = await rawBroker(placet.placet);
  const genuine = await ask(placet, 'refund.create');
  await placet.admin.vote(genuine, { vote: 'approve' });
  await eventually(async () => expect(textOf(await cardOf(slack, genuine))).toContain('Allowed by'));
  const id = await ask(placet, 'refund.create', { payload: { amount: 21 } });
  await cardOf(slack, id);
  const decided = (await messagesIn(raw)).find(({ subject }) =>
    subject.endsWith(`${genuine}.action.decided`),
  );
  const request = (await messagesIn(raw)).find(({ subject }) => subject.endsWith(`${id}.action.requested`));
  if (!decided || !request) throw new Error('no decision, or no request');
  const { payload_digest, request_event } = {
    ...JSON.parse(request.text).data,
    request_event: request.event.id,
  };
  const other = JSON.parse(decided.text);
  const data = { ...other.data, action_id: id, payload_digest, request_event };
  const subject = decided.subject.replace(genuine, id);
  await raw.js.publish(subject, JSON.stringify({ ...other, id: 'forged', subject: id, data }));
  await eventually(async () => {
    const { num_pending, num_ack_pending } = await raw.jsm.consumers.info('PLACET', 'notifier-slack');
    expect({ num_pending, num_ack_pending }).toEqual({ num_pending: 0, num_ack_pending: 0 });
  });
  await placet.admin.post(`/v1/approvals/${id}/comments`, { comment: 'Is it so?' });
  await eventually(() =>
    expect(slack.messages('#approvals').some(({ text }) => text.includes('Is it so?'))).toBe(true),
  );
  expect(textOf(await cardOf(slack, id))).not.toContain('Allowed by');
});

test('a stale button says so, and counts nothing', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.create');
  const { channel, ts } = await cardOf(slack, id);
  await placet.admin.vote(id, { vote: 'reject' });
  await eventually(async () => expect(textOf(await cardOf(slack, id))).not.toContain('"button"'));
  await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve', stale: true });
  expect(slack.ephemerals.at(-1)?.text).toContain('decided already');
  expect((await placet.agent.answer(id)).body.decision).toBe('denied');
});

test('who owns what is asked is told so where the rule keeps them apart', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'own', { on_behalf_of: 'ann@example.com' });
  const { channel, ts } = await cardOf(slack, id);
  await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve' });
  expect(slack.ephemerals.at(-1)?.text).toContain('about what is yours');
  expect((await placet.agent.answer(id)).body).toMatchObject({ decision: 'pending', approval: { votes: 0 } });
  await slack.click({ user: 'U0BEN', channel, ts, actionId: 'approve' });
  expect((await placet.agent.answer(id)).body.decision).toBe('allowed');
});

test('a Slack that is away in the middle of it loses no card, and what cannot be looked for is sent again', async () => {
  const { slack, placet } = await startWithSlack();
  await cardOf(slack, await ask(placet, 'refund.create', { payload: { n: 0 } }));
  slack.failNext('chat.postMessage', { status: 503 });
  slack.failNext('conversations.history', { status: 503 });
  const first = await ask(placet, 'refund.create', { payload: { n: 1 } });
  await cardOf(slack, first);
  expect(await recorded(placet, first, 'notification.sent')).toBeDefined();
  slack.failNext('chat.postMessage', { status: 503 });
  slack.failNext('conversations.history', 'missing_scope');
  await cardOf(slack, await ask(placet, 'refund.create', { payload: { n: 2 } }));
});

test('what waits for its turn until after the deadline is known at once', async () => {
  const { slack, placet } = await startWithSlack();
  slack.failNext('chat.postMessage', { status: 429, retryAfter: 3600 });
  await ask(placet, 'refund.create', { payload: { n: 0 } });
  await eventually(() => expect(slack.calls.length).toBeGreaterThan(0));
  const id = await ask(placet, 'refund.create', { payload: { n: 1 }, timeout: '30s' });
  expect(await recorded(placet, id, 'notification.failed')).toMatchObject({
    error: 'its turn comes after the deadline',
  });
});

test('what is said under a card is said once each, also where Slack takes one message a second', async () => {
  const { slack, placet } = await startWithSlack({ perSecond: 1 });
  const id = await ask(placet, 'refund.create');
  const { ts } = await cardOf(slack, id);
  const said = ['one', 'two', 'three'];
  for (const comment of said) await placet.admin.post(`/v1/approvals/${id}/comments`, { comment });
  const replies = () => slack.messages('#approvals').filter(({ threadTs }) => threadTs === ts);
  await eventually(() => expect(replies()).toHaveLength(said.length));
  await placet.admin.vote(id, { vote: 'reject' });
  await eventually(async () => expect(textOf(await cardOf(slack, id))).not.toContain('"button"'));
  expect(replies().map(({ text }) => text)).toEqual(said.map((word) => `admin@example.com says: ${word}`));
});

test('where there is no room to write down what stands where, it is an alarm, and the notifier is not ready', async () => {
  const { slack, placet } = await startWithSlack();
  const raw = await rawBroker(placet.placet);
  const first = await ask(placet, 'refund.create');
  await cardOf(slack, first);
  await recorded(placet, first, 'notification.sent');
  const { config, state } = await raw.jsm.streams.info('KV_placet-cards');
  const resized = (max_bytes: number) => raw.jsm.streams.update(config.name, { ...config, max_bytes });
  await resized(state.bytes + 10);
  const id = await ask(placet, 'refund.create', { payload: { amount: 21 } });
  await eventually(async () => expect(await alarmKinds(raw)).toContain('cards_full'));
  const ready = await fetch(`${placet.url}/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain('no room in placet-cards');
  await resized(config.max_bytes);
  await cardOf(slack, id);
  await eventually(async () => expect((await fetch(`${placet.url}/ready`)).status).toBe(200));
});

test('what has ended and says so leaves the ledger, unless somebody was to hear of the end', async () => {
  const informing = policy.replace('quorum: 2', 'inform: ["#approvals"]');
  const { slack, placet } = await startWithSlack({}, { policy: informing });
  const raw = await rawBroker(placet.placet);
  const lifeOf = async (id: string) => {
    const last_by_subj = `$KV.placet-cards.slack.my-agent.${id}`;
    const entry = await raw.jsm.streams.getMessage('KV_placet-cards', { last_by_subj });
    return { isOver: entry?.string().includes('"claimed":false'), life: entry?.header.get('Nats-TTL') };
  };
  const ids = [await ask(placet, 'refund.create'), await ask(placet, 'refund.two')];
  const [id = '', informed = ''] = ids;
  for (const one of ids) await cardOf(slack, one);
  await eventually(async () => expect(await lifeOf(id)).toEqual({ isOver: true, life: '' }));
  for (const one of ids) await placet.admin.vote(one, { vote: 'approve' });
  await eventually(async () => expect((await lifeOf(id)).life).toMatch(/^864\d\ds$|^24h/));
  await eventually(async () => expect(textOf(await cardOf(slack, informed))).toContain('Allowed by'));
  await eventually(async () => expect(await lifeOf(informed)).toEqual({ isOver: true, life: '' }));
});
