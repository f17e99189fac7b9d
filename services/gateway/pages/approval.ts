import { type ApprovalView, decidersText, furtherReason, placesText } from '@placet/events';
import { argumentsOf } from '@placet/text';
import { type Html, html } from './html.ts';
import { inWords, moment } from './time.ts';

const argumentsRoom = { lines: 200, chars: 40_000 };

/** What is asked, by whom, until when and how far it has come: what somebody needs in the first five seconds. */
export function approvalArticle(view: ApprovalView, now: Date): Html {
  return html`<article>
<p class="soft">${view.agent}${by(view)} asks</p>
<h1>${view.action_name}</h1>
<p>${state(view, now)}</p>
${rows(asked(view))}
</article>
${payload(view)}
${course(view)}`;
}

/** What else there is to know, for who wants to. */
export function approvalContext(view: ApprovalView): Html {
  return html`${conversation(view)}${earlier(view)}<section><h2>More about it</h2>${rows(about(view))}</section>`;
}

function by({ context }: ApprovalView): string {
  const parts = [
    ...(typeof context['acting_agent'] === 'string' ? [`, acting: ${context['acting_agent']}`] : []),
    ...(typeof context['on_behalf_of'] === 'string' ? [`, for ${context['on_behalf_of']}`] : []),
  ];
  return parts.join('');
}

function state(view: ApprovalView, now: Date): Html {
  if (view.status === 'pending') {
    const left = inWords(Date.parse(view.deadline) - now.getTime());
    const end = view.on_timeout === 'allow' ? 'then it is allowed' : 'then it is denied';
    return html`<span class="state pending">waits</span> <span class="soft">until ${moment(view.deadline)} (${left} left), ${end}</span>`;
  }
  const who = decidersText(view.decided_by);
  const reason = endReason(view);
  const choice = view.choice === null ? '' : ` (${view.choice})`;
  return html`<span class="state ${view.decision}">${view.decision}${choice}</span>
<span class="soft">by ${who}${view.decided_at && html`, ${moment(view.decided_at)}`}${reason !== null && html`: ${reason}`}</span>`;
}

function endReason({ decision, decided_by: deciders, decision_reason: reason }: ApprovalView): string | null {
  return decision === null || reason === null ? null : furtherReason({ decision, deciders, reason });
}

type Row = [name: string, value: string | undefined];

function asked(view: ApprovalView): Row[] {
  return [
    ['Why', textOf(view.context['reasoning'])],
    [
      'Held by',
      view.rule === null || view.reason.includes(view.rule) ? view.reason : `${view.rule}: ${view.reason}`,
    ],
    ['Who decides', progressText(view)],
    ['Decided', view.only_in === null ? undefined : placesText(view.only_in)],
  ];
}

function about(view: ApprovalView): Row[] {
  const { context } = view;
  return [
    ['Owner of the agent', view.owner],
    ['Handed on by', listText(context['handoffs'])],
    ['Tool', [textOf(context['tool']), textOf(context['server'])].filter(Boolean).join(' of ') || undefined],
    ['Case', textOf(context['case'])],
    ['Run', textOf(context['run'])],
    ['Tags', listText(context['tags'])],
    ['Priority', textOf(context['priority'])],
    ['Asked', moment(view.requested_at)],
    ['Digest', view.payload_digest],
  ];
}

function rows(all: Row[]): Html {
  const told = all.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl>${told.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function progressText({ demands }: ApprovalView): string {
  return demands
    .map(({ met, quorum, ways, approvers }) => {
      const wanted = ways?.[0]?.length ?? quorum;
      return `${met} of ${wanted} approved: ${approvers.length === 0 ? 'role:approver' : approvers.join(', ')}`;
    })
    .join('\n');
}

function payload(view: ApprovalView): Html {
  const { lines, left } = argumentsOf(view.payload, argumentsRoom);
  const whole = JSON.stringify(view.payload, null, 2) ?? '';
  return html`<section><h2>With these arguments</h2>
${lines.length === 0 ? html`<p>No arguments.</p>` : html`<dl class="arguments">${lines.map(argument)}</dl>`}
${left > 0 && html`<p class="notice problem">${left} more arguments are not in this list. All of them are below.</p>`}
${view.redacted.length > 0 && html`<p class="soft">Hidden from you: ${view.redacted.join(', ')}.</p>`}
${view.revision > 1 && html`<p class="soft">Changed since the agent asked; earlier votes are void.</p>`}
${lines.length > 0 && html`<details${left > 0 && html` open`}><summary>The whole payload as JSON</summary><pre>${whole}</pre></details>`}
</section>`;
}

function argument(line: string): Html {
  const end = /^(?:[^":]|"(?:[^"\\]|\\.)*")*: /.exec(line)?.[0].length;
  if (end === undefined) return html`<dt></dt><dd>${line}</dd>`;
  return html`<dt>${line.slice(0, end - 2)}</dt><dd>${line.slice(end)}</dd>`;
}

/** What people have said and done about it. */
function course(view: ApprovalView): Html {
  const votes = view.votes.map(({ by, vote, choice, answer, comment, at, counts }) => {
    const word = choice === undefined ? (vote === 'approve' ? 'approved' : 'rejected') : `chose ${choice}`;
    const said = [answerText(answer), comment].filter((part) => part !== undefined).join('\n');
    return entry(
      at,
      `${by} ${word}${counts ? '' : ' (does not count any more)'}`,
      said === '' ? undefined : said,
    );
  });
  const edits = view.edits.map(({ by, at, changes, comment }) => {
    const said = changes.map(({ path, from, to }) => `${path}: ${json(from)} → ${json(to)}`);
    return entry(
      at,
      `${by} changed the arguments`,
      [...said, ...(comment === undefined ? [] : [comment])].join('\n'),
    );
  });
  const comments = view.comments.map(({ by, comment, at }) => entry(at, `${by} says`, comment));
  const handed = view.handed.map(({ by, to, at, comment }) =>
    entry(at, `${by} handed their place to ${to.join(', ')}`, comment),
  );
  const steps = view.steps.flatMap(({ kind, done_at, to = [] }) =>
    done_at === null
      ? []
      : [entry(done_at, kind === 'remind' ? 'People were reminded' : `${to.join(', ')} asked as well`)],
  );
  const all = [...votes, ...edits, ...comments, ...handed, ...steps].toSorted((one, other) =>
    one.at.localeCompare(other.at),
  );
  return html`${all.length > 0 && html`<section><h2>So far</h2><ul>${all.map(({ line }) => line)}</ul></section>`}`;
}

function conversation({ context: { excerpt } }: ApprovalView): Html {
  if (!Array.isArray(excerpt)) return html``;
  const lines = excerpt.map((line) => html`<li>${String(line)}</li>`);
  return html`<section><h2>From the conversation</h2><ul>${lines}</ul></section>`;
}

function earlier({ earlier: before = [] }: ApprovalView): Html {
  if (before.length === 0) return html``;
  const lines = before.map(
    (one) => html`<li><a href="/approvals/${one.action_id}">${one.action_name}</a>
<span class="state ${one.decision}">${one.decision}</span> <span class="soft">${moment(one.decided_at)}: ${one.reason}</span></li>`,
  );
  return html`<section><h2>Decided before</h2><ul>${lines}</ul></section>`;
}

function entry(at: string, what: string, said?: string | undefined): { at: string; line: Html } {
  return {
    at,
    line: html`<li>${what} <span class="soft">${moment(at)}</span>${said !== undefined && html`<p>${said}</p>`}</li>`,
  };
}

const answerText = (answer: unknown): string | undefined => {
  if (answer === null || answer === undefined) return undefined;
  return typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2);
};
const json = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value));
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const listText = (value: unknown): string | undefined =>
  Array.isArray(value) ? value.join(', ') : undefined;
