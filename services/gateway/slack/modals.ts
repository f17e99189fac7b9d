import type { ApprovalView } from '@placet/events';
import { shortened, visible } from '@placet/text';
import type * as z from 'zod';
import { shownValue, valueAt } from '../pages/forms.ts';
import type { Kept, Subject } from './interaction.ts';

export const modals = { reason: 'placet_reason', edit: 'placet_edit', link: 'placet_link' } as const;

const inputCharsMax = 3000;
const inputsMax = 20;

const plain = (text: string, charsMax = 3000) =>
  ({ type: 'plain_text', text: shortened(text, charsMax), emoji: false }) as const;
const section = (text: string) => ({ type: 'section', text: plain(text) }) as const;

type Input = { block: string; label: string; initial?: string; multiline?: boolean; optional?: boolean };

const input = ({ block, label, initial, multiline = false, optional = false }: Input) => ({
  type: 'input',
  block_id: block,
  label: plain(label, 150),
  optional,
  element: {
    type: 'plain_text_input',
    action_id: 'value',
    multiline,
    max_length: inputCharsMax,
    ...(initial ? { initial_value: initial } : {}),
  },
});

const modal = (callback_id: string, title: string, blocks: object[], kept: object) => ({
  type: 'modal',
  callback_id,
  title: plain(title, 24),
  submit: plain('Send', 24),
  close: plain('Cancel', 24),
  private_metadata: JSON.stringify(kept),
  blocks,
});

/** The policy wants a reason with this vote. */
export function reasonModal(kept: z.infer<typeof Kept>): object {
  const said = kept.choice ?? (kept.vote === 'approve' ? 'Approve' : 'Reject');
  const reason = input({ block: 'comment', label: 'Why', multiline: true });
  return modal(modals.reason, said, [section('The policy wants a reason for this.'), reason], kept);
}

/**
 * What may be changed, as it stands; null where Slack has no room for it, or where something is written that nobody
 * would see there.
 */
export function editModal(view: ApprovalView, subject: Subject): object | null {
  const fields = view.editable.map((path) => ({ path, value: shownValue(valueAt(view.payload, path)) }));
  const isTooMuch = fields.length > inputsMax || fields.some(({ value }) => value.length > inputCharsMax);
  if (isTooMuch || fields.some(({ value }) => visible(value) !== value)) return null;
  const inputs = fields.map(({ path, value }, n) =>
    input({
      block: `change.${n}`,
      label: path.replace(/^payload\./, ''),
      initial: value,
      multiline: value.includes('\n') || value.length > 100,
      optional: true,
    }),
  );
  const comment = input({ block: 'comment', label: 'Why', multiline: true, optional: true });
  const told = section('The policy judges the changed arguments again, and votes until then are void.');
  return modal(modals.edit, 'Change', [told, ...inputs, comment], subject);
}

/** It has no field, and nothing to send. */
export function linkedModal(email: string): Record<string, unknown> {
  const told = `In Slack you are ${email} from now on. What you clicked before was not counted: close this, and click again.`;
  const { submit: _, ...shown } = modal(modals.link, 'That is you', [section(told)], {});
  return { ...shown, close: plain('Close', 24) };
}

/** Whoever knows the code of somebody who is signed in to Placet, is that person in Slack from then on. */
export function linkModal(accountUrl: string): object {
  const told = section(
    `Placet does not know who you are, so nothing that you click is counted. Sign in at ${accountUrl}, ask for a code there, and enter it here.`,
  );
  return modal(modals.link, 'Who are you?', [told, input({ block: 'code', label: 'The code' })], {});
}
