import type { AnswerSchema, ApprovalView } from '@placet/events';
import { answerFields, type Form, jsonIn } from './answer.ts';
import { attribute, type Html, html } from './html.ts';
import { digitsField, formField } from './layout.ts';

const lineChars = 80;

export type Forms = {
  /** Where they are sent to; `/votes` and so on are put behind it. */
  path: string;
  formToken?: string | undefined;
  /** What has to be read and typed, where nobody is signed in. */
  code?: string | undefined;
  /** What was filled in before it was refused. */
  form: Form;
};

/** What somebody may do about an approval that waits for them. */
export function decidingForms(view: ApprovalView, forms: Forms): Html {
  return html`${voteForm(view, forms)}${view.editable.length > 0 && editForm(view, forms)}`;
}

const common = (view: ApprovalView, { formToken }: Forms) =>
  html`${formToken !== undefined && formField(formToken)}<input type="hidden" name="payload_digest" value="${view.payload_digest}">`;

function voteForm(view: ApprovalView, forms: Forms): Html {
  const { path, form } = forms;
  const schema = view.answer_schema as AnswerSchema | null;
  return html`<section><h2>Your decision</h2>
<form method="post" action="${path}/votes">
${common(view, forms)}
${schema && answerFields(schema, form)}
<label for="comment">${reasonLabel(view)}</label>
<textarea id="comment" name="comment" maxlength="4000">
${attribute(form['comment'] ?? '')}</textarea>
${codeField(forms, 'code')}
<div class="buttons">${buttons(view)}</div>
</form></section>`;
}

const codeField = ({ code, form }: Forms, id: string) =>
  code !== undefined && digitsField(code, { id, typed: form['code'] ?? '' });

function reasonLabel({ require_reason }: ApprovalView): string {
  switch (require_reason) {
    case 'always':
      return 'Why (the policy wants a reason)';
    case 'on_reject':
      return 'Why (the policy wants a reason for a rejection)';
    case 'never':
      return 'Comment (optional)';
    default:
      return require_reason satisfies never;
  }
}

function buttons({ choices, answer_schema }: ApprovalView): Html[] {
  if (choices.length > 0) {
    return choices.map(
      ({ name, means }) =>
        html`<button class="${means === 'allow' ? 'yes' : 'no'}" name="decide" value="${attribute(`choice:${name}`)}">${name}</button>`,
    );
  }
  return [
    html`<button class="yes" name="decide" value="approve">${answer_schema ? 'Answer' : 'Approve'}</button>`,
    html`<button class="no" name="decide" value="reject">Reject</button>`,
  ];
}

/**
 * The field of a path says how it stands now; what is left as it is, is no change. A browser drops the line break at
 * the beginning of a field, so that there has to be one of ours.
 */
function editForm(view: ApprovalView, forms: Forms): Html {
  const { path, form } = forms;
  const isOpen = Object.keys(form).some((field) => field.startsWith('change.'));
  return html`<section><details${isOpen && html` open`}><summary>Change it before it is approved</summary>
<p class="soft">The policy judges the changed arguments again, and votes until then are void.</p>
<form method="post" action="${path}/edits">
${common(view, forms)}
${view.editable.map((each) => {
  const field = `change.${each}`;
  const now = valueAt(view.payload, each);
  return html`<label for="${attribute(field)}">${each.replace(/^payload\./, '')}</label>
${changeField(field, now, form[field] ?? shownValue(now))}`;
})}
<label for="edit-comment">Why (optional)</label>
<textarea id="edit-comment" name="comment" maxlength="4000">
${attribute(form['comment'] ?? '')}</textarea>
${codeField(forms, 'edit-code')}
<div class="buttons"><button>Propose the change</button></div>
</form></details></section>`;
}

/** A number or a word needs one line; a text may have any, and nothing of it is lost. */
function changeField(name: string, now: unknown, text: string): Html {
  const isShort =
    (typeof now !== 'object' || now === null) && text.length <= lineChars && !/[\r\n]/.test(text);
  const isText = typeof now === 'string' || now === undefined;
  const field = attribute(name);
  if (isShort && !isText) {
    const keys = typeof now === 'number' && html` inputmode="decimal"`;
    return html`<input type="text" class="code"${keys} id="${field}" name="${field}" value="${attribute(text)}">`;
  }
  return html`<textarea class="code${isShort && ' short'}" id="${field}" name="${field}">
${attribute(text)}</textarea>`;
}

export function commentForm(view: ApprovalView, forms: Forms): Html {
  return html`<section><details><summary>Say something without voting</summary>
<form method="post" action="${forms.path}/comments">
${common(view, forms)}
<textarea name="comment" aria-label="Comment" maxlength="4000"></textarea>
<div class="buttons"><button>Comment</button></div>
</form></details></section>`;
}

export function valueAt(payload: unknown, path: string): unknown {
  return path
    .split('.')
    .slice(1)
    .reduce<unknown>(
      (value, step) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, step)
          ? (value as Record<string, unknown>)[step]
          : undefined,
      payload,
    );
}

/** A text as it is, everything else as JSON. */
export function shownValue(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a form changes: only what is written otherwise than it stands, and of the same kind where it can be. */
export function changesIn(
  view: Pick<ApprovalView, 'payload' | 'editable'>,
  form: Form,
): Record<string, unknown> {
  const changes = view.editable.flatMap((path): [string, unknown][] => {
    const text = form[`change.${path}`]?.replaceAll('\r\n', '\n');
    const now = valueAt(view.payload, path);
    if (text === undefined || text === shownValue(now).replaceAll('\r\n', '\n')) return [];
    return [[path, typeof now === 'string' ? text : jsonIn(text)]];
  });
  return Object.fromEntries(changes);
}
