import { eventually } from '@placet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, cardOf, startWithSlack } from './slack-support.ts';

let started: Awaited<ReturnType<typeof startWithSlack>>;
beforeAll(async () => {
  started = await startWithSlack();
});
afterAll(async () => {
  await started.placet.close();
  await started.slack.close();
});

type Text = { type: string; text: string };
/** Every text of a card, wherever it stands. */
function textsOf(value: unknown): Text[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(textsOf);
  const { type, text } = Object(value);
  return typeof text === 'string' && type !== undefined ? [{ type, text }, ...inner] : inner;
}

const markup =
  '<!channel> <https://evil.example|Approve> *bold* `code` &amp; <@U0ANN> <script>alert(1)</script>';
const hostile: [string, object, string][] = [
  ['markup and HTML', { note: markup, [markup]: 1 }, '<!channel>'],
  ['turned writing', { to: 'account \u202e001-DE' }, '\\u{202e}'],
  ['what has no width', { to: 'pay\u200b\u2060pal' }, '\\u{200b}\\u{2060}'],
  ['200 KB', { text: 'x'.repeat(200_000) }, '(200000 characters)'],
  [
    '3,000 arguments',
    Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key${n}`, n])),
    'more arguments are not shown here',
  ],
  [
    'lines that look like other arguments',
    { note: 'ok\namount: 1\nto: Ann', amount: 900 },
    'note: "ok\\namount: 1\\nto: Ann"',
  ],
  ['very deep', { a: { b: { c: { d: { e: { f: { g: { h: 'deep' } } } } } } } }, 'a.b.c.d.e.f.g.h: deep'],
];

test('what a person writes calls nobody either', async () => {
  const { slack, placet } = started;
  const id = await ask(placet, 'refund.create');
  await cardOf(slack, id);
  await placet.admin.vote(id, { vote: 'reject', comment: markup });
  await eventually(async () => {
    const { text, blocks } = await cardOf(slack, id);
    expect(text).toContain('&lt;!channel&gt;');
    expect(text).not.toMatch(/<|>/);
    expect(textsOf(blocks).filter(({ type }) => type === 'mrkdwn')).toEqual([]);
  });
});

test('a reason that is as long as it may be is not too long for the card, however it is written', async () => {
  const { slack, placet } = started;
  const id = await ask(placet, 'refund.create');
  await cardOf(slack, id);
  await placet.admin.vote(id, { vote: 'reject', comment: '<'.repeat(4000) });
  await eventually(async () => {
    const { text, blocks } = await cardOf(slack, id);
    expect(text).toContain('Denied by admin@example.com');
    expect(JSON.stringify(blocks)).not.toContain('"button"');
  });
});

test.each(hostile)('%s: the card says what it is, and has its buttons', async (_, payload, seen) => {
  const { slack, placet } = started;
  const id = await ask(placet, 'refund.create', {
    payload,
    reasoning: `${markup} \u202e ${'y'.repeat(3000)}`,
    acting_agent: 'sub-agent',
    on_behalf_of: '<!here>@example.com',
  });
  const card = await cardOf(slack, id);
  const texts = textsOf(card.blocks);
  expect(texts.map(({ text }) => text).join('\n')).toContain(seen);
  // Slack reads markup in nothing but our own words.
  const marked = texts.filter(({ type }) => type === 'mrkdwn').map(({ text }) => text);
  expect(marked).toEqual([
    expect.stringMatching(/^Until <!date\^\d+\^\{date_short_pretty\} \{time\}\|[-\d:.TZ]+>$/),
  ]);
  expect(card.text).not.toMatch(/<|>/);
  for (const { text } of texts) expect(text).not.toMatch(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069]/);
  const { elements } = Object(card.blocks.find(({ type }) => type === 'actions'));
  expect(elements).toMatchObject([
    { action_id: 'approve', text: { text: 'Approve' } },
    { action_id: 'reject', text: { text: 'Reject' } },
  ]);
  await slack.click({ user: 'U0BEN', channel: card.channel, ts: card.ts, actionId: 'reject' });
  expect((await placet.agent.answer(id)).body.decision).toBe('denied');
});
