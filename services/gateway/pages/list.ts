import type { ApprovalView } from '@placet/events';
import { type Html, html } from './html.ts';
import { inWords, moment } from './time.ts';

export const listKinds = {
  mine: 'Waiting for you',
  open: 'All that is open',
  decided: 'Decided',
} as const;
export type ListKind = keyof typeof listKinds;

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
    : html`<ul>${approvals.map((view) => row(view, now))}</ul>`
}
${next !== null && html`<p><a href="/approvals?show=${kind}&amp;cursor=${next}">Older ones</a></p>`}
</section>`;
}

function row(view: ApprovalView, now: Date): Html {
  const when =
    view.status === 'pending'
      ? html`<span class="soft">${inWords(Date.parse(view.deadline) - now.getTime())} left</span>`
      : html`<span class="state ${view.decision}">${view.decision}</span> <span class="soft">${view.decided_at && moment(view.decided_at)}</span>`;
  const reasoning = view.context['reasoning'];
  return html`<li class="row"><a href="/approvals/${view.id}">${view.agent}: ${view.action_name}</a> ${when}
${typeof reasoning === 'string' && html`<p class="soft">${reasoning.slice(0, 200)}</p>`}</li>`;
}
