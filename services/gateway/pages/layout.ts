import type { Person } from '@placet/events';
import { type Html, html } from './html.ts';

export type PageParts = {
  title: string;
  /** Who is signed in; a page by a link from a mail knows nobody. */
  viewer?: { person: Person; formToken: string } | undefined;
  body: Html;
};

/** No script: whatever a browser blocks, the page works. */
export function page({ title, viewer, body }: PageParts): string {
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${title} · Placet</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/pages.css">
</head>
<body>
<header class="top">
<a class="brand" href="/approvals">Placet</a>
${viewer && signedIn(viewer)}
</header>
<main>
${body}
</main>
</body>
</html>
`.markup
  }`;
}

const signedIn = ({ person, formToken }: { person: Person; formToken: string }) => html`<nav>
<a href="/approvals">Approvals</a>
<a href="/account">${person.name ?? person.email}</a>
<form method="post" action="/sign-out">${formField(formToken)}<button class="quiet">Sign out</button></form>
</nav>`;

export const formField = (formToken: string): Html =>
  html`<input type="hidden" name="form_token" value="${formToken}">`;

/** The digits of a mailed link, to be typed by whoever reads them. */
export const digitsField = (digits: string, { id = 'code', typed = '' } = {}): Html =>
  html`<label for="${id}">Type <strong>${digits}</strong>, to show that you are no program</label>
<input type="text" id="${id}" name="code" inputmode="numeric" autocomplete="off" maxlength="10" value="${typed}">`;

/** One message at the top of a page: what went wrong, or what was done. */
export function notice(kind: 'problem' | 'done', text: string): Html {
  return html`<p class="notice ${kind}" role="${kind === 'problem' ? 'alert' : 'status'}">${text}</p>`;
}
