import { eventually, releaseAfterEach, startFakePagerDuty, startFakeSlack } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, personWith, rawBroker } from '../support.ts';
import { idOf, letters, linksIn, mailsTo, nothingIsDue, startWithEmail } from './email-support.ts';
import { told, toldOnce } from './pagerduty-support.ts';

releaseAfterEach();

test('whoever is asked by role gets a mail of their own, and hears in its thread how it ended', async () => {
  const { smtp, placet, mia } = await startWithEmail();
  const id = await held(placet, { reasoning: 'The parcel was lost.' });
  const [asked] = await letters(smtp, 'mia@example.com');
  await letters(smtp, 'max@example.com');
  expect(asked).toMatchObject({
    envelope: { from: 'placet@example.com', to: ['mia@example.com'] },
    subject: expect.stringContaining('refund.create'),
    text: expect.stringContaining('The parcel was lost.'),
    html: expect.stringContaining('The parcel was lost.'),
  });
  expect(asked?.headers.get('auto-submitted')).toBe('auto-generated');
  expect(asked?.headers.get('x-auto-response-suppress')).toBe('All');
  expect(linksIn(asked)).toEqual([expect.stringMatching(/^https:\/\/placet\.example\.com\//)]);

  await mia.vote(id, { vote: 'reject', comment: 'Too much.' });
  const [, ended] = await letters(smtp, 'mia@example.com', 2);
  expect(ended).toMatchObject({
    subject: `Re: ${asked?.subject}`,
    text: expect.stringContaining('Denied by mia@example[.]com: Too much.'),
  });
  expect(ended?.headers.get('in-reply-to')).toBe(idOf(asked));
  expect(ended?.headers.get('references')).toBe(idOf(asked));
  expect(linksIn(ended)).toEqual([]);
  await letters(smtp, 'max@example.com', 2);
  const ids = smtp.mails.map(idOf);
  expect(new Set(ids).size).toBe(4);
});

test('who is asked by name or otherwise gets one mail', async () => {
  const { smtp, placet } = await startWithEmail();
  await personWith(placet, 'dana@example.com', ['approver']);
  const id = await held(placet, { action_name: 'refund.named' });
  await letters(smtp, 'dana@example.com');
  await letters(smtp, 'admin@example.com');
  await placet.admin.vote(id, { vote: 'approve' });
  await letters(smtp, 'dana@example.com', 2);
  await nothingIsDue(await rawBroker(placet.placet));
  expect(mailsTo(smtp, 'mia@example.com')).toEqual([]);
});

test('a vote is no mail; a change of the payload is one in the thread', async () => {
  const { smtp, placet, mia } = await startWithEmail();
  const id = await held(placet, { action_name: 'refund.two', accepts: ['edits'] });
  const [asked] = await letters(smtp, 'max@example.com');
  await letters(smtp, 'mia@example.com');
  await mia.vote(id, { vote: 'approve' });
  const { payload_digest } = (await mia.get(`/v1/approvals/${id}`)).body;
  const edit = { payload_digest, changes: { 'payload.amount': 15 } };
  const edited = await mia.post(`/v1/approvals/${id}/edits`, edit);
  expect(edited.status).toBe(200);
  const [, changed] = await letters(smtp, 'max@example.com', 2);
  expect(changed?.text).toContain('amount: 15');
  expect(changed?.text).toContain('Changed by mia@example[.]com');
  expect(changed?.headers.get('in-reply-to')).toBe(idOf(asked));
  expect(linksIn(changed)).toHaveLength(1);
  await mia.vote(id, { vote: 'reject', payload_digest: edited.body.payload_digest });
  await letters(smtp, 'max@example.com', 3);
});

test('who has not voted is reminded, in the thread', async () => {
  const { smtp, placet, mia } = await startWithEmail();
  const id = await held(placet, { action_name: 'refund.reminded' });
  const [asked] = await letters(smtp, 'max@example.com');
  const [, reminded] = await letters(smtp, 'max@example.com', 2);
  expect(reminded?.headers.get('in-reply-to')).toBe(idOf(asked));
  expect(reminded?.text).toContain('still waits');
  expect(linksIn(reminded)).toHaveLength(1);
  await mia.vote(id, { vote: 'approve' });
  const [, , ended] = await letters(smtp, 'max@example.com', 3);
  expect(ended?.text).toContain('Allowed by mia@example[.]com');
});

test('who is asked later gets a mail then', async () => {
  const { smtp, placet } = await startWithEmail();
  await held(placet, { action_name: 'refund.later' });
  await letters(smtp, 'admin@example.com');
  await letters(smtp, 'mia@example.com');
});

test('where no Slack is set up, those who may vote in a channel get mails', async () => {
  const { smtp, placet } = await startWithEmail();
  await held(placet, { action_name: 'refund.channel' });
  await letters(smtp, 'admin@example.com');
  await nothingIsDue(await rawBroker(placet.placet));
  expect(mailsTo(smtp, 'mia@example.com')).toEqual([]);
});

test('who is in Slack gets no mail, and whoever else is asked by the same role does', async () => {
  const slack = await startFakeSlack();
  const { smtp, placet, max } = await startWithEmail({
    env: { PLACET_SLACK_API_URL: slack.apiUrl, PLACET_SLACK_BOT_TOKEN: slack.botToken },
  });
  await placet.admin.patch(`/v1/people/${max.id}`, { slack: [{ team: slack.teamId, user: 'U0BEN' }] });
  await held(placet);
  await letters(smtp, 'mia@example.com');
  await nothingIsDue(await rawBroker(placet.placet));
  expect(mailsTo(smtp, 'max@example.com')).toEqual([]);
});

test('who is in Slack gets no mail, and gets one when Slack cannot tell the channel', async () => {
  const slack = await startFakeSlack();
  const { smtp, placet } = await startWithEmail({
    env: { PLACET_SLACK_API_URL: slack.apiUrl, PLACET_SLACK_BOT_TOKEN: slack.botToken },
  });
  const ann = await personWith(placet, 'ann@example.com', ['approver']);
  await placet.admin.patch(`/v1/people/${ann.id}`, { slack: [{ team: slack.teamId, user: 'U0ANN' }] });
  const shown = await held(placet, { action_name: 'refund.channel', payload: { n: 1 } });
  await toldOnce(placet, shown, 'notification.sent');
  slack.changeChannel('#approvals', { member: false });
  const id = await held(placet, { action_name: 'refund.channel', payload: { n: 2 } });
  const [mail] = await letters(smtp, 'ann@example.com');
  expect(mail?.text).toContain('n: 2');
  const [failed] = await told(placet, id, 'notification.failed');
  expect(failed).toMatchObject({ channel: 'slack', target: '#approvals' });
  expect((await ann.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  const [, ended] = await letters(smtp, 'ann@example.com', 2);
  expect(ended?.text).toContain('Allowed by ann@example[.]com');
});

test('when nobody can be paged, those who would have been get mails', async () => {
  const pagerDuty = await startFakePagerDuty();
  const { smtp, placet } = await startWithEmail({
    env: { PLACET_PAGERDUTY_URL: pagerDuty.url, PLACET_PAGERDUTY_KEYS: `airline=${'b'.repeat(32)}` },
  });
  await held(placet, { action_name: 'refund.paged' });
  await letters(smtp, 'admin@example.com');
  await nothingIsDue(await rawBroker(placet.placet));
  expect(mailsTo(smtp, 'mia@example.com')).toEqual([]);
});

test('of what is over nobody gets a mail', async () => {
  const { smtp, placet, mia } = await startWithEmail();
  await placet.placet.stop('notifier');
  const over = await held(placet, { payload: { n: 1 } });
  await mia.vote(over, { vote: 'approve' });
  await held(placet, { payload: { n: 2 } });
  await placet.placet.start('notifier');
  const [mail] = await letters(smtp, 'mia@example.com');
  expect(mail?.text).toContain('n: 2');
  await eventually(() => expect(mailsTo(smtp, 'max@example.com')).toHaveLength(1));
});
