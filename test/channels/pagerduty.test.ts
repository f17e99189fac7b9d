import { eventually, releaseAfterEach } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, rawBroker } from '../support.ts';
import {
  actsOf,
  eventsOf,
  incidentIs,
  startWithPagerDuty,
  told,
  toldOnce,
  triggered,
} from './pagerduty-support.ts';

releaseAfterEach();

test('an approval is an incident until it is decided', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  const id = await held(placet, {
    action_name: 'rebook',
    payload: { flight: 'PA441', amount: 20 },
    reasoning: 'The flight is cancelled.',
  });
  expect(await triggered(pagerDuty, id)).toMatchObject({
    client: 'Placet',
    client_url: `https://placet.example.com/approvals/${id}`,
    links: [{ href: `https://placet.example.com/approvals/${id}`, text: 'Review and decide' }],
    payload: {
      summary: expect.stringContaining('rebook waits for a decision'),
      severity: 'error',
      class: 'approval',
      component: 'rebook',
      custom_details: {
        reasoning: 'The flight is cancelled.',
        arguments: ['flight: PA441', 'amount: 20'],
        asked: '0 of 1: pagerduty:airline',
      },
    },
  });
  expect(await toldOnce(placet, id, 'notification.sent')).toMatchObject({
    channel: 'pagerduty',
    target: 'pagerduty:airline',
  });
  await placet.admin.vote(id, { vote: 'approve' });
  await incidentIs(pagerDuty, id, 'resolved');
  expect(actsOf(pagerDuty, id)).toEqual(['trigger', 'resolve']);
});

test('what is urgent is critical', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  const id = await held(placet, { action_name: 'rebook', priority: 'urgent' });
  expect((await triggered(pagerDuty, id)).payload.severity).toBe('critical');
});

test('a vote pages nobody once more; another payload is told to the same incident', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  const id = await held(placet, { action_name: 'rebook.two', accepts: ['edits'] });
  const { body } = await placet.admin.get(`/v1/approvals/${id}`);
  await triggered(pagerDuty, id);
  await placet.admin.vote(id, { vote: 'approve' });
  const edit = { payload_digest: body.payload_digest, changes: { 'payload.amount': 15 } };
  const edited = await placet.admin.post(`/v1/approvals/${id}/edits`, edit);
  expect(edited.status).toBe(200);
  await eventually(() => expect(eventsOf(pagerDuty, id)).toHaveLength(2));
  expect(eventsOf(pagerDuty, id)[1]).toMatchObject({
    event_action: 'trigger',
    payload: {
      summary: expect.stringContaining('(changed)'),
      custom_details: {
        arguments: ['amount: 15'],
        notes: ['Changed by admin@example[.]com; earlier votes are void.'],
      },
    },
  });
  const { payload_digest } = edited.body;
  await placet.admin.vote(id, { vote: 'reject', payload_digest });
  await incidentIs(pagerDuty, id, 'resolved');
  expect(actsOf(pagerDuty, id)).toEqual(['trigger', 'trigger', 'resolve']);
});

test('an incident that PagerDuty refused to change is told as such, and ends with the approval', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  const id = await held(placet, { action_name: 'rebook.two', accepts: ['edits'] });
  await toldOnce(placet, id, 'notification.sent');
  pagerDuty.failNext({ status: 400 });
  const { body } = await placet.admin.get(`/v1/approvals/${id}`);
  const edit = { payload_digest: body.payload_digest, changes: { 'payload.amount': 15 } };
  const edited = await placet.admin.post(`/v1/approvals/${id}/edits`, edit);
  expect(await toldOnce(placet, id, 'notification.failed')).toMatchObject({
    channel: 'pagerduty',
    target: 'pagerduty:airline',
    about_type: 'approval.needed',
  });
  const { payload_digest } = edited.body;
  await placet.admin.vote(id, { vote: 'reject', payload_digest });
  await incidentIs(pagerDuty, id, 'resolved');
});

test('who is asked later is paged then', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  const id = await held(placet, { action_name: 'later' });
  expect(await triggered(pagerDuty, id)).toMatchObject({ event_action: 'trigger' });
});

test.each([
  ['429', { status: 429, retryAfter: 1 }],
  ['500', { status: 500 }],
  ['a connection that is cut', 'hang up'],
  ['an answer that is lost', 'answer lost'],
] as const)('%s: there is one incident in the end', async (_, failure) => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  pagerDuty.failNext(failure);
  const id = await held(placet, { action_name: 'rebook' });
  await toldOnce(placet, id, 'notification.sent');
  await incidentIs(pagerDuty, id, 'triggered');
  await placet.admin.vote(id, { vote: 'reject' });
  await incidentIs(pagerDuty, id, 'resolved');
});

test('what was decided while nobody knew whether there is an incident leaves none open', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  pagerDuty.failNext('answer lost');
  const id = await held(placet, { action_name: 'rebook' });
  await triggered(pagerDuty, id);
  await placet.placet.stop('notifier');
  await placet.admin.vote(id, { vote: 'reject' });
  await placet.placet.start('notifier');
  await incidentIs(pagerDuty, id, 'resolved');
  expect(actsOf(pagerDuty, id)).toEqual(['trigger', 'resolve']);
});

test('nobody is paged for what is over', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  await placet.placet.stop('notifier');
  const over = await held(placet, { action_name: 'rebook', payload: { n: 1 } });
  await placet.admin.vote(over, { vote: 'approve' });
  const open = await held(placet, { action_name: 'rebook', payload: { n: 2 } });
  await placet.placet.start('notifier');
  await triggered(pagerDuty, open);
  expect(eventsOf(pagerDuty, over)).toEqual([]);
});

test.each([
  ['a service without a key', 'unknown', {}, 'name one in PLACET_PAGERDUTY_KEYS'],
  ['no key at all', 'rebook', { PLACET_PAGERDUTY_KEYS: '' }, 'name one in PLACET_PAGERDUTY_KEYS'],
  [
    'a key that PagerDuty does not know',
    'rebook',
    { PLACET_PAGERDUTY_KEYS: `airline=${'b'.repeat(32)}` },
    'Invalid routing key; the key is not one of',
  ],
] as const)('%s: it is an event that says what to do', async (_, action_name, env, words) => {
  const { pagerDuty, placet } = await startWithPagerDuty(env);
  const id = await held(placet, { action_name });
  expect(await toldOnce(placet, id, 'notification.failed')).toMatchObject({
    channel: 'pagerduty',
    error: expect.stringContaining(words),
    attempts: 1,
  });
  expect((await placet.admin.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  expect(await told(placet, id, 'notification.sent')).toEqual([]);
  expect(pagerDuty.events).toEqual([]);
});

test('what an agent writes is seen as it is, is no link, and does not keep anybody from being paged', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  const id = await held(placet, {
    action_name: 'rebook',
    payload: { to: 'pay\u200bpal', see: 'https://evil.example', text: 'x'.repeat(200_000) },
    reasoning: `www.evil.com \u202e ${'y'.repeat(7000)}`,
  });
  const text = JSON.stringify(await triggered(pagerDuty, id));
  expect(text).toContain('pay\\\\u{200b}pal');
  expect(text).toContain('https[:]//evil[.]example');
  expect(text).toContain('www[.]evil[.]com');
  expect(text).toContain('(200000 characters)');
  expect(text).not.toMatch(/[\u200b\u202e]|evil\./);
});

test('what may be an incident shortly before the deadline is told as failed, and resolved', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  pagerDuty.failNext('answer lost');
  const id = await held(placet, { action_name: 'rebook', timeout: '1s' });
  expect(await toldOnce(placet, id, 'notification.failed')).toMatchObject({ target: 'pagerduty:airline' });
  await incidentIs(pagerDuty, id, 'resolved');
  expect(await told(placet, id, 'notification.failed')).toHaveLength(1);
});

test('what may be an incident is resolved also where PagerDuty takes no more when it is told again', async () => {
  const { pagerDuty, placet } = await startWithPagerDuty();
  pagerDuty.failNext('answer lost');
  pagerDuty.failNext({ status: 429, retryAfter: 3 });
  const id = await held(placet, { action_name: 'rebook' });
  await triggered(pagerDuty, id);
  const cards = await (await rawBroker(placet.placet)).bucket('placet-cards');
  await eventually(async () =>
    expect((await cards.get(`pagerduty.my-agent.${id}`))?.string()).toContain('takes no more'),
  );
  await placet.admin.vote(id, { vote: 'reject' });
  await incidentIs(pagerDuty, id, 'resolved');
});
