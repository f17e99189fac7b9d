import { parseCredential } from '@placet/proof';
import type { App } from '@placet/runtime';
import * as z from 'zod';
import type { People } from '../accounts/people.ts';
import type { GatewayConfig } from '../config.ts';
import { html } from '../pages/html.ts';
import { notice, page } from '../pages/layout.ts';
import { send } from '../pages/scope.ts';
import { signInBody } from '../pages/sign-in.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SignInMails } from '../sessions/sign-in-mails.ts';
import { createEntry, refuseForeign } from './entry.ts';
import { FormBody, hide } from './page-shared.ts';

/** Only within these pages: a link must not send whoever signs in somewhere else. */
const nextOf = (text: string | undefined) =>
  /^\/(approvals(\/act_[0-9a-z]+)?|account)$/.test(text ?? '') ? (text ?? '') : '/approvals';

const SignInQuery = z.object({ next: z.string().optional(), signed_out: z.string().optional() });

type Parts = {
  config: Pick<GatewayConfig, 'publicUrl'>;
  people: People;
  sessions: Sessions;
  signInMails: SignInMails | null;
};

export function signInRoutes(app: App, { config, people, sessions, signInMails }: Parts) {
  const signIn = createEntry({ sessions, config });
  const byMail = signInMails !== null;

  app.get('/sign-in', { schema: { ...hide, querystring: SignInQuery } }, (request, reply) => {
    const { next, signed_out } = request.query;
    const said = signed_out !== undefined && notice('done', 'You are signed out.');
    const body = html`${said}${signInBody({ next: nextOf(next), byMail })}`;
    return send(reply, page({ title: 'Sign in', body }));
  });

  app.post('/sign-in', { schema: { ...hide, body: FormBody } }, async (request, reply) => {
    refuseForeign(request);
    const next = nextOf(request.body['next']);
    const { token, email } = request.body;
    if (token !== undefined) {
      const person = people.authenticate(token.trim(), new Date());
      const by = person && { person: person.id, id: parseCredential(token.trim())?.id ?? '' };
      if (person && by) return signIn(request, reply, { person, next, by, until: sessions.endOf(by) });
      reply.code(401);
      const problem = notice('problem', 'This token is not known, or has ended.');
      return send(reply, page({ title: 'Sign in', body: html`${problem}${signInBody({ next, byMail })}` }));
    }
    // Nobody sees from the time it takes whether there is such a person: that begins when this has been answered.
    if (signInMails && email !== undefined) reply.raw.once('close', () => void signInMails.send(email));
    const said =
      'If Placet knows this address, a mail with a link is on its way. It works once, for 15 minutes.';
    return send(reply, page({ title: 'Look into your mail', body: notice('done', said) }));
  });
}
