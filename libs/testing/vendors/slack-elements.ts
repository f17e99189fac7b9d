import { randomBytes } from 'node:crypto';
import { z } from 'zod';

const text = (max: number) => z.string().min(1).max(max);

export const plainText = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: text(max), emoji: z.boolean().optional() });

const mrkdwn = (max: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: text(max), verbatim: z.boolean().optional() });

export const anyText = (max: number) => z.discriminatedUnion('type', [plainText(max), mrkdwn(max)]);

/** Slack names what the app left without a name. */
export const slackId = text(255).default(() => randomBytes(4).toString('base64url'));

const confirm = z.strictObject({
  title: plainText(100),
  text: anyText(300),
  confirm: plainText(30),
  deny: plainText(30),
  style: z.enum(['primary', 'danger']).optional(),
});

const option = z.strictObject({
  text: anyText(75),
  value: text(150),
  description: anyText(75).optional(),
});
const plainOption = option.extend({ text: plainText(75), description: plainText(75).optional() });
const optionGroup = z.strictObject({ label: plainText(75), options: z.array(plainOption).min(1).max(100) });

const interactive = { action_id: slackId, confirm: confirm.optional() };
const focused = { ...interactive, focus_on_load: z.boolean().optional() };
const placeholder = plainText(150).optional();

const button = z.strictObject({
  ...interactive,
  type: z.literal('button'),
  text: plainText(75),
  value: z.string().max(2000).optional(),
  url: text(3000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  accessibility_label: text(75).optional(),
});
export type Button = z.infer<typeof button>;

const listed = {
  options: z.array(plainOption).min(1).max(100).optional(),
  option_groups: z.array(optionGroup).min(1).max(100).optional(),
};
const staticSelect = z.strictObject({
  ...focused,
  ...listed,
  type: z.literal('static_select'),
  initial_option: plainOption.optional(),
  placeholder,
});
const multiStaticSelect = z.strictObject({
  ...focused,
  ...listed,
  type: z.literal('multi_static_select'),
  initial_options: z.array(plainOption).min(1).max(100).optional(),
  max_selected_items: z.int().min(1).optional(),
  placeholder,
});
const usersSelect = z.strictObject({
  ...focused,
  type: z.literal('users_select'),
  initial_user: z.string().optional(),
  placeholder,
});
const overflow = z.strictObject({
  ...interactive,
  type: z.literal('overflow'),
  options: z
    .array(plainOption.extend({ url: text(3000).optional() }))
    .min(1)
    .max(5),
});
const checkboxes = z.strictObject({
  ...focused,
  type: z.literal('checkboxes'),
  options: z.array(option).min(1).max(10),
  initial_options: z.array(option).min(1).max(10).optional(),
});
const radioButtons = z.strictObject({
  ...focused,
  type: z.literal('radio_buttons'),
  options: z.array(option).min(1).max(10),
  initial_option: option.optional(),
});
const datePicker = z.strictObject({
  ...focused,
  type: z.literal('datepicker'),
  initial_date: z.iso.date().optional(),
  placeholder,
});
const plainTextInput = z.strictObject({
  type: z.literal('plain_text_input'),
  action_id: slackId,
  focus_on_load: z.boolean().optional(),
  placeholder,
  initial_value: z.string().max(3000).optional(),
  multiline: z.boolean().optional(),
  min_length: z.int().min(0).max(3000).optional(),
  max_length: z.int().min(1).max(3000).optional(),
  dispatch_action_config: z
    .strictObject({
      trigger_actions_on: z.array(z.enum(['on_enter_pressed', 'on_character_entered'])).min(1),
    })
    .optional(),
});
const image = z.strictObject({
  type: z.literal('image'),
  image_url: text(3000),
  alt_text: text(2000),
});

const choices = [staticSelect, multiStaticSelect, usersSelect, checkboxes, radioButtons, datePicker] as const;

export const actionElement = z.discriminatedUnion('type', [button, overflow, ...choices]);
export const accessoryElement = z.discriminatedUnion('type', [button, overflow, image, ...choices]);
export const inputElement = z.discriminatedUnion('type', [plainTextInput, ...choices]);
export const contextElement = z.discriminatedUnion('type', [image, plainText(3000), mrkdwn(3000)]);
export type InputElement = z.infer<typeof inputElement>;
