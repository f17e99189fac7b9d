import type { ApprovalView } from '@placet/events';
import { argumentsOf, shortened, visible } from '@placet/text';
import { type Html, html } from './html.ts';
import { inWords, moment } from './time.ts';

export const listKinds = {
  mine: 'Waiting for you',
  open: 'All that is open',
  decided: 'Decided',
} as const;
export type ListKind = keyof typeof listKinds;

/** What can be seen of the arguments before the page is opened. */
const argumentsRoom = { lines: 3, chars: 500 };
const reasoningChars = 200;

type List = { kind: ListKind; approvals: ApprovalView[]; next: string | null };

export function listBody({ kind, approvals, next }: List, now: Date): Html {
  const tabs = Object.entries(listKinds).map(([one, name]) =>
    one === kind ? html`<strong>${name}</strong> ` : html`<a href="/approvals?show=${one}">${name}</a> `,
  );
  return html`<p class="tabs">${tabs}</p>
<section><h1>${listKinds[kind]}</h1>
${
  approvals.length === 0
    ? html`<p class="soft">${kind === 'mine' ? 'Nothing waits for you.' : 'There is nothing.'}</p>`
    : html`<ul>${inOrder(kind, approvals).map((view) => row(view, now))}</ul>`
}
${next !== null && html`<p><a href="/approvals?show=${kind}&amp;cursor=${next}">Older ones</a></p>`}
</section>`;
}

/** What ends first has to be decided first. */
export function inOrder(kind: ListKind, approvals: ApprovalView[]): ApprovalView[] {
  if (kind === 'decided') return approvals;
  return approvals.toSorted((one, other) => one.deadline.localeCompare(other.deadline));
}

/** Where to go on, after one is done. */
export function nextLine(next: ApprovalView | null): Html {
  return next === null
    ? html`<p>Nothing else waits for you. <a href="/approvals">All approvals</a></p>`
    : html`<p>Next: <a href="/approvals/${next.id}">${next.agent}: ${next.action_name}</a> · <a href="/approvals">all that waits for you</a></p>`;
}

function row(view: ApprovalView, now: Date): Html {
  const when =
    view.status === 'pending'
      ? html`<span class="soft">${inWords(Date.parse(view.deadline) - now.getTime())} left</span>`
      : html`<span class="state ${view.decision}">${view.decision}</span> <span class="soft">${view.decided_at && moment(view.decided_at)}</span>`;
  const { reasoning, priority } = view.context;
  const isPressing = priority === 'urgent' || priority === 'high';
  const { lines, left } = argumentsOf(view.payload, argumentsRoom);
  return html`<li class="row"><a href="/approvals/${view.id}">${view.agent}: ${view.action_name}</a> ${when}
${isPressing && html` <span class="state denied">${priority}</span>`}
${view.answer_schema !== null && html` <span class="state pending">asks a question</span>`}
${lines.map((line) => html`<p><code>${line}</code></p>`)}${left > 0 && html`<p class="soft">and ${left} more</p>`}
${typeof reasoning === 'string' && why(reasoning)}</li>`;
}

/** The agent's own words, behind a bar: none of them begins a line that could be taken for one of ours. */
function why(reasoning: string): Html {
  const said = shortened(visible(reasoning).replaceAll(/\s*\n\s*/g, ' '), reasoningChars);
  return html`<blockquote><span class="soft">Why:</span> ${said}</blockquote>`;
}
