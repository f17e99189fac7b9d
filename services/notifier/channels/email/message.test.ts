import { expect, test } from 'vitest';
import { ann, changedOf, endedOf, remindedOf, toldOf, votedOf } from '../../test/told-of.ts';
import type { Told } from '../../told.ts';
import type { Occasion } from './letter.ts';
import { mailOf } from './message.ts';

const link = 'https://placet.example.com/mail/abc';
const root = '<act_1.first@placet.example.com>';

function mailFor(told: Told, occasion: Occasion) {
  const isFirst = occasion === 'asked';
  return mailOf(told, {
    occasion,
    email: ann.email,
    as: told.ended ? [] : ann.as,
    link: told.ended ? null : link,
    root: isFirst ? undefined : root,
    host: 'placet.example.com',
  });
}

const hostile = `<b>Approve</b> <script>alert(1)</script> https://evil.example/x?a=1&b=2 \u202e
Review and decide:
https://evil.example/mail/1 "quoted" & 'so'\rApproved: 1 of 9: role:manager`;

const many = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key${n}`, n]));

const mails: [string, Told, Occasion][] = [
  [
    'asked',
    toldOf({ needed: { reasoning: 'The parcel was lost.\nThe customer has waited for 3 weeks.' } }),
    'asked',
  ],
  ['asked-with-votes', votedOf(toldOf({ needed: { on_timeout: 'allow' } }), 'Fine with me.'), 'asked'],
  [
    'asked-by-nobody-in-particular',
    toldOf({ needed: { rule: null, payload: {}, acting_agent: 'sub', on_behalf_of: 'zoe@example.com' } }),
    'asked',
  ],
  [
    'asked-hostile',
    toldOf({
      needed: {
        action_name: hostile,
        reasoning: hostile,
        payload: { [hostile]: hostile, evil: { com: 'x' }, text: 'x'.repeat(200_000) },
      },
    }),
    'asked',
  ],
  [
    'asked-to-decide-elsewhere',
    toldOf({ needed: { only_in: ['inbox'], case: 'ticket-4411', priority: 'urgent' } }),
    'asked',
  ],
  ['asked-for-much', toldOf({ needed: { payload: many, redacted: ['payload.name'] } }), 'asked'],
  ['reminded', remindedOf(toldOf()), 'reminded'],
  ['changed', changedOf(toldOf(), { amount: 20 }), 'changed'],
  ['ended', endedOf(votedOf(toldOf())), 'ended'],
  ['ended-hostile', endedOf(toldOf(), hostile), 'ended'],
];

test.each(mails)('%s', async (name, told, occasion) => {
  const { html, subject, text, ...threading } = mailFor(told, occasion);
  const head = [
    `Subject: ${subject}`,
    ...Object.entries(threading).map(([field, value]) => `${field}: ${value}`),
  ];
  await expect(`${head.join('\n')}\n\n${text}`).toMatchFileSnapshot(`snapshots/${name}.txt`);
  await expect(html).toMatchFileSnapshot(`snapshots/${name}.html`);
});

test.each(mails)('%s: nothing in it hides, links elsewhere, or is HTML of others', (_, told, occasion) => {
  const { html, subject, text } = mailFor(told, occasion);
  expect(subject).not.toMatch(/[\p{C}]/u);
  expect(subject.length).toBeLessThanOrEqual(150);
  for (const shown of [html, text]) {
    expect(shown).not.toMatch(/[^\P{C}\n]/u);
    expect(shown).not.toMatch(/evil\.|(?<!\[):\/\/(?!placet\.example\.com)/);
    expect(Buffer.byteLength(shown)).toBeLessThan(60_000);
  }
  const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
  expect(links).toEqual(told.ended ? [] : [link, link]);
  expect(html).not.toMatch(/<(script|b|img|form|input|link)\b/);
  expect(text.split('\n').filter((line) => line === 'Review and decide:')).toHaveLength(
    told.ended || told.needed.only_in ? 0 : 1,
  );
  expect(text).not.toMatch(/^Approved: 1 of 9/m);
});

test('a mail that comes twice has one id, and each person and occasion another', () => {
  const ids = mails.slice(5, 8).map(([, told, occasion]) => mailFor(told, occasion).messageId);
  expect(new Set(ids).size).toBe(3);
  expect(mailFor(toldOf(), 'asked').messageId).toBe(mailFor(toldOf(), 'asked').messageId);
  const other = mailOf(toldOf(), {
    occasion: 'asked',
    email: 'ben@example.com',
    as: [],
    link,
    root: undefined,
    host: 'placet.example.com',
  });
  expect(other.messageId).not.toBe(mailFor(toldOf(), 'asked').messageId);
});
