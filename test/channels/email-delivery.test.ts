import { eventually, releaseAfterEach } from '@placet/testing';
import { expect, test } from 'vitest';
import { alarmKinds, held, personWith, rawBroker } from '../support.ts';
import { idOf, letters, linksIn, mailsTo, startWithEmail } from './email-support.ts';
import { told } from './pagerduty-support.ts';

releaseAfterEach();

const login = { user: 'placet', password: 'right' };
const withPassword = (password: string) => (smtp: { url: string }) =>
  smtp.url.replace('//', `//placet:${password}@`);
const mia = 'user:mia@example.com';

test.each([
  [
    'a wrong password',
    { smtp: { login }, url: withPassword('wrong') },
    'set user and password in PLACET_SMTP_URL',
  ],
  ['no password', { smtp: { login } }, 'set user and password in PLACET_SMTP_URL'],
  [
    'a mailbox that is full for good',
    { smtp: { full: { 'mia@example.com': 552 as const } } },
    'the mailbox is full',
  ],
  ['an address that nobody has', { smtp: { unknown: ['mia@example.com'] } }, "correct the person's address"],
  ['a server that takes no mail of this size', { smtp: { bytesMax: 500 } }, 'did not take the mail'],
] as const)(
  '%s: it is an event that says what to do, and the approval is decided elsewhere',
  async (_, options, words) => {
    const { placet, mia: person } = await startWithEmail(options);
    const id = await held(placet);
    const failed = await eventually(async () => {
      const all = await told(placet, id, 'notification.failed');
      const one = all.find(({ target }: { target: string }) => target === mia);
      expect(one).toBeDefined();
      return one;
    });
    expect(failed).toMatchObject({ channel: 'email', attempts: 1, error: expect.stringContaining(words) });
    expect(failed.error).not.toContain('wrong');
    expect((await person.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  },
);

test('a server that is not there: as soon as nobody can be told in time it is an event', async () => {
  const { placet, mia: person } = await startWithEmail({ url: () => 'smtp://127.0.0.1:1' });
  const id = await held(placet, { action_name: 'refund.soon' });
  const failed = await eventually(async () => {
    const [first] = await told(placet, id, 'notification.failed');
    expect(first).toBeDefined();
    return first;
  });
  expect(failed.error).toMatch(/^the mail server was not reached: .*look at PLACET_SMTP_URL/);
  expect(failed.attempts).toBeGreaterThan(1);
  expect((await person.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
});

test.each([
  ['a mailbox that is greylisted', { greylisted: ['mia@example.com'] }, () => {}],
  ['a connection that is cut', {}, (smtp: { cutInData(): void }) => smtp.cutInData()],
] as const)('%s: the mail comes later', async (_, options, spoil) => {
  const { smtp, placet } = await startWithEmail({ smtp: options });
  spoil(smtp);
  const id = await held(placet);
  await letters(smtp, 'mia@example.com');
  await letters(smtp, 'max@example.com');
  await eventually(async () => expect(await told(placet, id, 'notification.sent')).toHaveLength(2));
  expect(await told(placet, id, 'notification.failed')).toEqual([]);
});

test('an answer that is lost: the mail comes twice, and is known for one', async () => {
  const { smtp, placet, mia: person } = await startWithEmail();
  smtp.loseAnswer();
  const id = await held(placet);
  await eventually(() => expect(smtp.mails).toHaveLength(3));
  expect(new Set(smtp.mails.map(idOf)).size).toBe(2);
  await person.vote(id, { vote: 'approve' });
  await eventually(() => expect(smtp.mails).toHaveLength(5));
});

test('a notifier that was stopped after it had sent brings the outcome into the same thread', async () => {
  const { smtp, placet, mia: person } = await startWithEmail();
  const id = await held(placet);
  const [asked] = await letters(smtp, 'mia@example.com');
  await letters(smtp, 'max@example.com');
  await placet.placet.stop('notifier');
  await person.vote(id, { vote: 'reject' });
  await placet.placet.start('notifier');
  const [, ended] = await letters(smtp, 'mia@example.com', 2);
  expect(ended?.headers.get('in-reply-to')).toBe(idOf(asked));
});

/** Mia alone is asked, and nobody knows whether her mail was taken. */
async function stoppedWhileSending() {
  const started = await startWithEmail();
  const { smtp, placet } = started;
  await placet.admin.patch(`/v1/people/${started.max.id}`, { disabled: true });
  smtp.loseAnswer();
  const id = await held(placet);
  await letters(smtp, 'mia@example.com');
  await placet.placet.stop('notifier');
  return { ...started, id };
}

test('a notifier that was stopped between sending and writing it down sends the same mail again', async () => {
  const { smtp, placet, mia: person, id } = await stoppedWhileSending();
  await placet.placet.start('notifier');
  const [first, second] = await letters(smtp, 'mia@example.com', 2);
  expect(idOf(second)).toBe(idOf(first));
  await person.vote(id, { vote: 'approve' });
  const [, , ended] = await letters(smtp, 'mia@example.com', 3);
  expect(ended?.headers.get('in-reply-to')).toBe(idOf(first));
});

test('what ended meanwhile is not sent again', async () => {
  const { smtp, placet, mia: person, id } = await stoppedWhileSending();
  await person.vote(id, { vote: 'reject' });
  await placet.placet.start('notifier');
  await held(placet, { payload: { n: 2 } });
  const [, second] = await letters(smtp, 'mia@example.com', 2);
  expect(second?.text).toContain('n: 2');
});

test('with a password it goes', async () => {
  const { smtp, placet } = await startWithEmail({ smtp: { login }, url: withPassword('right') });
  await held(placet);
  await letters(smtp, 'mia@example.com');
});

const markup = '<b>x</b> <a href="https://evil.example">Approve</a> www.evil.com';
test.each([
  ['markup and HTML', { note: markup, [markup]: 1 }, 'www[.]evil[.]com'],
  ['turned writing', { to: 'account \u202e001-DE' }, '\\u{202e}'],
  ['200 KB', { text: 'x'.repeat(200_000) }, '(200000 characters)'],
  [
    '3,000 arguments',
    Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key${n}`, n])),
    'more arguments are not shown here',
  ],
])('%s: the mail says what it is, and has one link', async (_, payload, seen) => {
  const { smtp, placet } = await startWithEmail();
  const id = await held(placet, {
    payload,
    reasoning: `${markup} \u202e ${'y'.repeat(3000)}`,
    on_behalf_of: 'Bcc: all@evil.example',
  });
  const [mail] = await letters(smtp, 'mia@example.com');
  for (const shown of [mail?.text ?? '', mail?.html ?? '']) {
    expect(shown).toContain(seen);
    expect(shown).not.toMatch(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069]|evil\./);
    expect(shown).toContain('Review and decide');
  }
  expect(mail?.html).not.toMatch(/<(script|b|form|img)\b/);
  expect(linksIn(mail)).toHaveLength(1);
  expect(linksIn(mail)[0]).toMatch(/^https:\/\/placet\.example\.com\//);
  expect(mail?.raw).not.toMatch(/^bcc:/im);
  expect(mailsTo(smtp, 'all@evil.example')).toEqual([]);
  expect(id).toBeDefined();
});

test('more people are asked than one approval is told to: that is an alarm', async () => {
  const { placet } = await startWithEmail();
  const raw = await rawBroker(placet.placet);
  // With the two managers it is one more than 500.
  for (let n = 0; n < 499; n++) await personWith(placet, `m${n}@example.com`, ['manager']);
  const id = await held(placet);
  await eventually(async () => expect(await alarmKinds(raw)).toContain('too_many_asked'));
  // Who is not told any more need not be.
  expect((await placet.agent.delete(`/v1/check/${id}`)).status).toBe(200);
});
