import { type Html, html } from './html.ts';
import { digitsField } from './layout.ts';

export function signInBody({ next, byMail }: { next: string; byMail: boolean }): Html {
  const hidden = html`<input type="hidden" name="next" value="${next}">`;
  return html`${
    byMail &&
    html`<section><h1>Sign in</h1>
<form method="post" action="/sign-in">${hidden}
<label for="email">Your email</label>
<input type="email" id="email" name="email" autocomplete="email" required>
<div class="buttons"><button class="yes">Send me a link</button></div>
</form></section>`
  }<section>${byMail ? html`<h2>Or with your token</h2>` : html`<h1>Sign in</h1>`}
<form method="post" action="/sign-in">${hidden}
<label for="token">Your token</label>
<input type="password" id="token" name="token" autocomplete="off" required>
<p class="soft">It begins with placet_person_. An administrator can also make you a link to sign in with.</p>
<div class="buttons"><button class="yes">Sign in</button></div>
</form></section>`;
}

/** A link that is only looked at signs nobody in: that takes the button, and the digits where it came by mail. */
export function confirmSignInBody(email: string, code: string | null): Html {
  return html`<section><h1>Sign in as ${email}</h1>
<p>This link works once.</p>
<form method="post">${
    code !== null && digitsField(code)
  }<div class="buttons"><button class="yes">Sign in</button></div></form></section>`;
}
