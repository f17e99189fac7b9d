import type { Person } from '@placet/events';
import type { SessionView } from '../sessions/sessions.ts';
import { attribute, type Html, html } from './html.ts';
import { formField } from './layout.ts';
import { moment } from './time.ts';

type Account = {
  person: Person;
  sessions: SessionView[];
  current: string;
  formToken: string;
  isInSlack: boolean;
  /** Just made, to be entered in Slack. */
  code?: string | undefined;
};

export function accountBody({ person, sessions, current, formToken, isInSlack, code }: Account): Html {
  return html`<section><h1>${person.name ?? person.email}</h1>
<dl><dt>Email</dt><dd>${person.email}</dd><dt>Roles</dt><dd>${person.roles.join(', ')}</dd></dl>
</section>
${isInSlack && inSlack(person, formToken, code)}
<section><h2>Where you are signed in</h2>
<ul>${sessions.map(
    ({
      id,
      browser,
      created_at,
    }) => html`<li>${browser === '' ? 'A browser' : browser}${id === current && html` <strong>(this one)</strong>`}
<span class="soft">since ${moment(created_at)}</span>
<form class="plain" method="post" action="/account/sessions/${id}/end">${formField(formToken)}<button class="quiet">Sign out there</button></form></li>`,
  )}</ul></section>`;
}

function inSlack({ slack = [] }: Person, formToken: string, code: string | undefined): Html {
  return html`<section><h2>In Slack</h2>
${
  slack.length > 0 &&
  html`<ul>${slack.map(
    ({ team, user }) => html`<li>${user} of ${team}
<form class="plain" method="post" action="/account/slack/unlink">${formField(formToken)}<input type="hidden" name="team" value="${attribute(team)}"><input type="hidden" name="user" value="${attribute(user)}"><button class="quiet">That is not me</button></form></li>`,
  )}</ul>`
}
${
  code === undefined
    ? html`<p class="soft">Press a button of a card in Slack: it asks for a code, if Placet does not know you there.</p>
<form method="post" action="/account/slack-codes">${formField(formToken)}<div class="buttons"><button>Show me a code</button></div></form>`
    : html`<p>Enter this in Slack, within ten minutes: <strong>${code}</strong></p>
<p class="soft">Give it to nobody: whoever enters it in Slack votes as you.</p>`
}</section>`;
}
