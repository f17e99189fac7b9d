import { z } from 'zod';
import {
  accessoryElement,
  actionElement,
  anyText,
  type Button,
  contextElement,
  inputElement,
  plainText,
  slackId,
} from './slack-elements.ts';

/** Slack documents no total. Apps have met it near this, with what is around the texts counted as well. */
const blocksCharactersMax = 13_200;
const messageBlocksMax = 50;
const modalBlocksMax = 100;
const markdownCharactersMax = 12_000;

const named = { block_id: slackId };

const section = z
  .strictObject({
    ...named,
    type: z.literal('section'),
    text: anyText(3000).optional(),
    fields: z.array(anyText(2000)).min(1).max(10).optional(),
    accessory: accessoryElement.optional(),
    expand: z.boolean().optional(),
  })
  .refine(({ text, fields }) => text !== undefined || fields !== undefined, {
    error: 'missing required field: text',
  });

const actions = z
  .strictObject({ ...named, type: z.literal('actions'), elements: z.array(actionElement).min(1).max(25) })
  .refine(({ elements }) => isUnique(elements.map(({ action_id }) => action_id)), {
    error: 'action_id is used more than once',
    path: ['elements'],
  });

const input = z.strictObject({
  ...named,
  type: z.literal('input'),
  label: plainText(2000),
  element: inputElement,
  hint: plainText(2000).optional(),
  optional: z.boolean().optional(),
  dispatch_action: z.boolean().optional(),
});
export type InputBlock = z.infer<typeof input>;

const block = z.discriminatedUnion('type', [
  section,
  actions,
  input,
  z.strictObject({ ...named, type: z.literal('header'), text: plainText(150) }),
  z.strictObject({
    ...named,
    type: z.literal('context'),
    elements: z.array(contextElement).min(1).max(10),
  }),
  z.strictObject({ ...named, type: z.literal('divider') }),
  z.strictObject({
    ...named,
    type: z.literal('markdown'),
    text: z.string().min(1).max(markdownCharactersMax),
  }),
  z.strictObject({
    ...named,
    type: z.literal('image'),
    image_url: z.string().min(1).max(3000),
    alt_text: z.string().min(1).max(2000),
    title: plainText(2000).optional(),
  }),
  // What stands in rich text is not looked at.
  z.strictObject({ ...named, type: z.literal('rich_text'), elements: z.array(z.looseObject({})) }),
]);
export type Block = z.infer<typeof block>;

const blocksUpTo = (max: number) =>
  z
    .array(block)
    .max(max)
    .refine((blocks) => isUnique(blocks.map(({ block_id }) => block_id)), {
      error: 'block_id is used more than once',
    });

const modal = z
  .strictObject({
    type: z.literal('modal'),
    title: plainText(24),
    submit: plainText(24).optional(),
    close: plainText(24).optional(),
    blocks: blocksUpTo(modalBlocksMax),
    private_metadata: z.string().max(3000).default(''),
    callback_id: z.string().max(255).default(''),
    external_id: z.string().max(255).default(''),
    clear_on_close: z.boolean().default(false),
    notify_on_close: z.boolean().default(false),
  })
  .refine(({ submit, blocks }) => submit !== undefined || !blocks.some(({ type }) => type === 'input'), {
    error: 'missing required field: submit',
  });
export type Modal = z.infer<typeof modal>;

/** What Slack takes, with the names it gave; or why it does not, in its own words. */
export type Checked<T> = { value: T } | { error: string; messages: string[] };

export function checkBlocks(given: unknown): Checked<Block[]> {
  const parsed = blocksUpTo(messageBlocksMax).safeParse(given);
  if (!parsed.success) return { error: 'invalid_blocks', messages: inSlacksWords(parsed.error, '/blocks') };
  if (JSON.stringify(given).length > blocksCharactersMax)
    return { error: 'msg_blocks_too_long', messages: [] };
  return { value: parsed.data };
}

export function checkModal(given: unknown): Checked<Modal> {
  const parsed = modal.safeParse(given);
  if (parsed.success) return { value: parsed.data };
  return { error: 'invalid_arguments', messages: inSlacksWords(parsed.error, '/view') };
}

export function buttonsIn(blocks: readonly Block[]): { blockId: string; button: Button }[] {
  return blocks.flatMap((block) => {
    const elements =
      block.type === 'actions' ? block.elements : block.type === 'section' ? [block.accessory] : [];
    return elements.flatMap((element) =>
      element?.type === 'button' ? [{ blockId: block.block_id, button: element }] : [],
    );
  });
}

function isUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

function inSlacksWords(error: z.ZodError, root: string): string[] {
  return error.issues.map(
    (issue) => `[ERROR] ${complaint(issue)} [json-pointer:${[root, ...issue.path.map(String)].join('/')}]`,
  );
}

function complaint(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_big':
      return issue.origin === 'array'
        ? `no more than ${issue.maximum} items allowed`
        : `must be less than ${Number(issue.maximum) + 1} characters`;
    case 'too_small':
      return issue.origin === 'array'
        ? `no fewer than ${issue.minimum} items allowed`
        : `must be more than ${Number(issue.minimum) - 1} characters`;
    case 'unrecognized_keys':
      return `invalid additional property: ${issue.keys.join(', ')}`;
    case 'invalid_union':
      return 'unsupported type';
    default:
      return issue.message;
  }
}
