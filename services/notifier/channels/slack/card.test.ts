import { expect, test } from 'vitest';
import { changedOf, endedOf, toldOf, votedOf } from '../../test/told-of.ts';
import type { Block, Button } from './blocks.ts';
import { type Card, cardOf, commentReply, reminderReply } from './card.ts';

const page = 'https://placet.example.com/approvals/act_1';
const hostile = '<!channel> *bold* <https://evil.example|click> `x` &lt; pay \u202e001 no\u200bwidth';
/** Lines as the card itself has them, by all that breaks lines. */
const forged =
  'ok\nApproved: 1 of 2: #finance\r\nann@example.com approved\rDenied by ann@example.com\u2028end';
const forgedNames = { acting_agent: forged, on_behalf_of: forged };
const many = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key${n}`, `value ${n}`]));

/** A card as somebody reads it who cannot see it: a line a part. */
function readable({ text, blocks }: Card): string {
  return [`notification: ${text}`, '', ...blocks.flatMap(linesOf), ''].join('\n');
}

function linesOf(block: Block): string[] {
  switch (block.type) {
    case 'header':
      return [`# ${block.text.text}`];
    case 'section':
      return 'text' in block ? [textOf(block.text)] : block.fields.map(textOf);
    case 'context':
      return block.elements.map((element) => `(${textOf(element)})`);
    case 'actions':
      return [block.elements.map(buttonOf).join('  ')];
    case 'divider':
      return ['---'];
    default:
      return block satisfies never;
  }
}

const textOf = ({ type, text }: { type: string; text: string }) =>
  type === 'mrkdwn' ? `mrkdwn: ${text}` : text;
const buttonOf = ({ text, style, url }: Button) =>
  `[${text.text}${style === undefined ? '' : `, ${style}`}${url === undefined ? '' : ` → ${url}`}]`;

const context = {
  reasoning: 'The parcel was lost.',
  acting_agent: 'support-writer',
  on_behalf_of: 'zoe@example.com',
  case: 'ticket-4411',
  priority: 'urgent' as const,
};

test.each([
  ['waits', toldOf({ needed: context })],
  ['has a vote', votedOf(toldOf(), 'Fine with me.')],
  [
    'was changed',
    changedOf(toldOf({ needed: { editable: ['payload.amount'], accepts: ['edits'] } }), { amount: 40 }),
  ],
  [
    'has choices',
    toldOf({
      needed: {
        choices: [
          { name: 'retry', means: 'allow' },
          { name: 'skip', means: 'deny' },
        ],
      },
    }),
  ],
  ['is a question', toldOf({ needed: { answer_schema: { type: 'string' } } })],
  ['is decided on its page alone', toldOf({ needed: { only_in: ['inbox'] } })],
  [
    'hides something',
    toldOf({ needed: { redacted: ['payload.card'], payload: { card: '[redacted]', amount: 20 } } }),
  ],
  [
    'is hostile',
    toldOf({ needed: { payload: { [hostile]: hostile }, reasoning: hostile, action_name: hostile } }),
  ],
  [
    'is written as if by us',
    endedOf(
      votedOf(
        toldOf({
          needed: { payload: { note: forged }, reasoning: forged, action_name: forged, ...forgedNames },
        }),
        forged,
      ),
      forged,
    ),
  ],
  ['has a long name', toldOf({ needed: { action_name: `refund.${'x'.repeat(180)}.end` } })],
  ['is too much', toldOf({ needed: { payload: many, reasoning: 'x'.repeat(5000) } })],
  ['has ended', endedOf(votedOf(toldOf()))],
])('a card that %s', async (name, told) => {
  const file = `snapshots/${name.replaceAll(' ', '-')}.txt`;
  await expect(readable(cardOf(told, page))).toMatchFileSnapshot(file);
});

test('of what others write only the date is markup, and nothing of theirs', () => {
  const told = toldOf({
    needed: { payload: { [hostile]: hostile }, reasoning: hostile, rule: hostile, reason: hostile },
  });
  const marked = JSON.stringify(cardOf(told, page).blocks).match(/"type":"mrkdwn","text":"[^"]*"/g);
  expect(marked).toEqual([
    '"type":"mrkdwn","text":"Until <!date^1795335300^{date_short_pretty} {time}|2026-11-22T08:15:00.000Z>"',
  ]);
});

test('no line that others write could be taken for one of ours', () => {
  const waits = toldOf({
    needed: { payload: { note: forged }, reasoning: forged, action_name: forged, ...forgedNames },
  });
  const by = { id: 'per_ben', email: 'ben@example.com' };
  const reply = commentReply({ by, comment: forged });
  for (const card of [cardOf(votedOf(waits, forged), page), cardOf(endedOf(waits, forged), page), reply]) {
    const lines = readable(card).split(/[\n\r\u2028]/);
    expect(lines.filter((line) => /^\(?(Approved: 1 of 2|ann@|Denied by ann)/.test(line))).toEqual([]);
  }
});

test('however much there is, a card fits into a message of Slack, with its buttons', () => {
  const told = toldOf({
    needed: {
      payload: { ...many, long: 'y'.repeat(200_000) },
      reasoning: '😀'.repeat(90_000),
      reason: 'z'.repeat(5000),
    },
  });
  const { blocks } = cardOf(told, page);
  expect(JSON.stringify(blocks).length).toBeLessThan(13_000);
  expect(blocks.length).toBeLessThanOrEqual(50);
  expect(linesOf(blocks.at(-1) as Block)).toEqual([
    `[Approve, primary]  [Reject, danger]  [Details → ${page}]`,
  ]);
});

test('without an address of the pages a card has no button to them', () => {
  expect(cardOf(toldOf(), null).blocks.flatMap(linesOf).join('\n')).not.toContain('Details');
  expect(
    cardOf(toldOf({ needed: { payload: many } }), null)
      .blocks.flatMap(linesOf)
      .join('\n'),
  ).toContain('GET /v1/approvals/act_1');
});

test('replies say what was said, and call nobody', () => {
  const by = { id: 'per_ben', email: 'ben@example.com' };
  const reply = commentReply({ by, comment: hostile });
  expect(readable(reply)).toContain('ben@example.com says: <!channel>');
  expect(reply.text).not.toContain('<!channel>');
  expect(readable(reminderReply(toldOf()))).toContain('It still waits: role:manager.');
});
