import type { Person } from '@placet/events';
import type { SessionView } from '../sessions/sessions.ts';
import { type Html, html } from './html.ts';
import { formField } from './layout.ts';
import { moment } from './time.ts';

type Account = { person: Person; sessions: SessionView[]; current: string; formToken: string };

export function accountBody({ person, sessions, current, formToken }: Account): Html {
  const slack = person.slack ?? [];
  return html`<section><h1>${person.name ?? person.email}</h1>
<dl><dt>Email</dt><dd>${person.email}</dd><dt>Roles</dt><dd>${person.roles.join(', ')}</dd>
<dt>In Slack</dt><dd>${slack.length === 0 ? 'not linked' : slack.map(({ team, user }) => `${user} of ${team}`).join('\n')}</dd></dl>
</section>
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
