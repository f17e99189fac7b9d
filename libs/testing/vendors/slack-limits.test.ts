import { describe, expect, it } from 'vitest';
import { checkBlocks, checkModal } from './slack-limits.ts';

const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const section = (length: number) => ({ type: 'section', text: mrkdwn(length) });
const button = (rest: object = {}) => ({ type: 'button', text: plain(5), action_id: 'approve', ...rest });
const buttons = (count: number) =>
  Array.from({ length: count }, (_, n) => button({ action_id: `button-${n}` }));
const actions = (elements: object[]) => ({ type: 'actions', elements });
const input = (element: object) => ({ type: 'input', label: plain(5), element });
const options = (count: number, length = 5) =>
  Array.from({ length: count }, (_, n) => ({ text: plain(length), value: `${n}` }));
const select = (rest: object = {}) => ({ type: 'static_select', options: options(2), ...rest });
const modal = (rest: object = {}) => ({
  type: 'modal',
  title: plain(24),
  submit: plain(24),
  close: plain(24),
  blocks: [section(10)],
  ...rest,
});

const atTheLimit: [string, object[]][] = [
  ['text of a section', [section(3000)]],
  ['fields of a section', [{ type: 'section', fields: Array(10).fill(mrkdwn(1000)) }]],
  ['text of a field', [{ type: 'section', fields: [plain(2000)] }]],
  ['text of a button', [actions([button({ text: plain(75) })])]],
  ['value of a button', [actions([button({ value: 'x'.repeat(2000) })])]],
  ['action_id', [actions([button({ action_id: 'x'.repeat(255) })])]],
  ['block_id', [{ ...section(1), block_id: 'x'.repeat(255) }]],
  ['elements of actions', [actions(buttons(25))]],
  ['header', [{ type: 'header', text: plain(150) }]],
  ['elements of a context', [{ type: 'context', elements: Array(10).fill(mrkdwn(5)) }]],
  ['blocks of a message', Array(50).fill(section(5))],
  ['options of a select', [actions([select({ options: options(100) })])]],
  ['text of an option', [actions([select({ options: options(1, 75) })])]],
];

const beyond: [string, object[], string][] = [
  [
    'text of a section',
    [section(3001)],
    'must be less than 3001 characters [json-pointer:/blocks/0/text/text]',
  ],
  ['an empty text', [section(0)], 'must be more than 0 characters [json-pointer:/blocks/0/text/text]'],
  [
    'fields of a section',
    [{ type: 'section', fields: Array(11).fill(mrkdwn(5)) }],
    'no more than 10 items allowed [json-pointer:/blocks/0/fields]',
  ],
  ['text of a field', [{ type: 'section', fields: [plain(2001)] }], 'must be less than 2001 characters'],
  ['a section of nothing', [{ type: 'section' }], 'missing required field: text'],
  ['text of a button', [actions([button({ text: plain(76) })])], 'must be less than 76 characters'],
  [
    'value of a button',
    [actions([button({ value: 'x'.repeat(2001) })])],
    'must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]',
  ],
  ['mrkdwn in a button', [actions([button({ text: mrkdwn(5) })])], 'json-pointer:/blocks/0/elements/0/text'],
  ['action_id', [actions([button({ action_id: 'x'.repeat(256) })])], 'must be less than 256 characters'],
  ['an action_id twice', [actions([button(), button()])], 'action_id is used more than once'],
  ['block_id', [{ ...section(1), block_id: 'x'.repeat(256) }], 'must be less than 256 characters'],
  [
    'a block_id twice',
    [
      { ...section(1), block_id: 'same' },
      { ...section(1), block_id: 'same' },
    ],
    'block_id is used more than once',
  ],
  ['elements of actions', [actions(buttons(26))], 'no more than 25 items allowed'],
  ['actions without elements', [actions([])], 'no fewer than 1 items allowed'],
  ['header', [{ type: 'header', text: plain(151) }], 'must be less than 151 characters'],
  ['mrkdwn in a header', [{ type: 'header', text: mrkdwn(5) }], 'json-pointer:/blocks/0/text/type'],
  [
    'elements of a context',
    [{ type: 'context', elements: Array(11).fill(mrkdwn(5)) }],
    'no more than 10 items allowed',
  ],
  ['blocks of a message', Array(51).fill(section(5)), 'no more than 50 items allowed [json-pointer:/blocks]'],
  ['options of a select', [actions([select({ options: options(101) })])], 'no more than 100 items allowed'],
  ['text of an option', [actions([select({ options: options(1, 76) })])], 'must be less than 76 characters'],
  ['an unknown block', [{ type: 'marquee' }], 'unsupported type [json-pointer:/blocks/0/type]'],
  ['an unknown element', [actions([{ type: 'lever' }])], 'unsupported type'],
  ['an input among actions', [actions([{ type: 'plain_text_input' }])], 'unsupported type'],
  ['an unknown property', [{ ...section(5), colour: 'red' }], 'invalid additional property: colour'],
];

describe('blocks of a message', () => {
  it.each(atTheLimit)('may reach the limit: %s', (_, blocks) => {
    expect(checkBlocks(blocks)).toHaveProperty('value');
  });

  it.each(beyond)('may not go beyond: %s', (_, blocks, message) => {
    const checked = checkBlocks(blocks);
    expect(checked).toMatchObject({ error: 'invalid_blocks' });
    expect(checked).toMatchObject({ messages: expect.arrayContaining([expect.stringContaining(message)]) });
  });

  it('have a total as well', () => {
    expect(checkBlocks(Array(4).fill(section(3000)))).toHaveProperty('value');
    expect(checkBlocks(Array(5).fill(section(3000)))).toEqual({ error: 'msg_blocks_too_long', messages: [] });
  });

  it('get names where the app gave none', () => {
    const checked = checkBlocks([actions([button({ action_id: undefined })])]);
    expect(checked).toMatchObject({
      value: [{ block_id: expect.any(String), elements: [{ action_id: expect.any(String) }] }],
    });
  });

  it('are a list', () => {
    expect(checkBlocks({})).toMatchObject({ error: 'invalid_blocks' });
  });
});

describe('a modal', () => {
  it.each([
    ['as it should be', modal()],
    ['with 100 blocks', modal({ blocks: Array(100).fill(section(5)) })],
    ['with 3000 characters of private metadata', modal({ private_metadata: 'x'.repeat(3000) })],
    ['with an input', modal({ blocks: [input({ type: 'plain_text_input', max_length: 3000 })] })],
  ])('is taken %s', (_, view) => {
    expect(checkModal(view)).toHaveProperty('value');
  });

  it.each([
    [
      'a longer title',
      modal({ title: plain(25) }),
      'must be less than 25 characters [json-pointer:/view/title/text]',
    ],
    ['a longer submit', modal({ submit: plain(25) }), '[json-pointer:/view/submit/text]'],
    ['a longer close', modal({ close: plain(25) }), '[json-pointer:/view/close/text]'],
    ['101 blocks', modal({ blocks: Array(101).fill(section(5)) }), 'no more than 100 items allowed'],
    ['longer private metadata', modal({ private_metadata: 'x'.repeat(3001) }), 'less than 3001 characters'],
    [
      'a longer input',
      modal({ blocks: [input({ type: 'plain_text_input', max_length: 3001 })] }),
      'max_length',
    ],
    [
      'a longer initial value',
      modal({ blocks: [input({ type: 'plain_text_input', initial_value: 'x'.repeat(3001) })] }),
      'must be less than 3001 characters',
    ],
    [
      'an input and no submit',
      modal({ submit: undefined, blocks: [input({ type: 'plain_text_input' })] }),
      'missing required field: submit',
    ],
    ['no title', modal({ title: undefined }), '[json-pointer:/view/title]'],
  ])('is refused with %s', (_, view, message) => {
    const checked = checkModal(view);
    expect(checked).toMatchObject({ error: 'invalid_arguments' });
    expect(checked).toMatchObject({ messages: [expect.stringContaining(message)] });
  });
});
