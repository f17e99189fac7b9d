import { parseCredential } from '@placet/proof';
import type { App } from '@placet/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { People } from '../accounts/people.ts';
import type { GatewayConfig } from '../config.ts';
import { html } from '../pages/html.ts';
import { notice, page } from '../pages/layout.ts';
import { send } from '../pages/scope.ts';
import { confirmSignInBody, signInBody } from '../pages/sign-in.ts';
import { createCookies } from '../sessions/cookie.ts';
import { digitsOf, digitsProblem, isGuessed } from '../sessions/digits.ts';
import type { LinkOf, Links, Token } from '../sessions/links.ts';
import { isFromOwnPage } from '../sessions/own-form.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SignInMails } from '../sessions/sign-in-mails.ts';
import { FormBody, foreignForm, hide, over } from './page-shared.ts';

const linkEnded = 'This link is over: it works once, and not for long. Ask for another.';
const TokenParams = z.object({ token: z.string().max(100) });

/** Only within these pages: a link must not send whoever signs in somewhere else. */
const nextOf = (text: string | undefined) =>
  /^\/(approvals(\/act_[0-9a-z]+)?|account)$/.test(text ?? '') ? (text ?? '') : '/approvals';

type Parts = {
  config: Pick<GatewayConfig, 'publicUrl'>;
  people: People;
  sessions: Sessions;
  links: Links;
  signInMails: SignInMails | null;
};

export function signInRoutes(app: App, { config, people, sessions, links, signInMails }: Parts) {
  const cookies = createCookies(config.publicUrl);
  const byMail = signInMails !== null;

  app.get(
    '/sign-in',
    { schema: { ...hide, querystring: z.object({ next: z.string().optional() }) } },
    (request, reply) =>
      send(reply, page({ title: 'Sign in', body: signInBody({ next: nextOf(request.query.next), byMail }) })),
  );

  app.post('/sign-in', { schema: { ...hide, body: FormBody } }, async (request, reply) => {
    refuseForeign(request);
    const next = nextOf(request.body['next']);
    const { token, email } = request.body;
    if (token !== undefined) {
      const person = people.authenticate(token.trim(), new Date());
      const by = person && { person: person.id, id: parseCredential(token.trim())?.id ?? '' };
      if (person && by) return signIn(request, reply, { id: person.id, next, by, until: sessions.endOf(by) });
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

  app.get('/sign-in/:token', { schema: { ...hide, params: TokenParams } }, async (request, reply) => {
    const { token } = request.params;
    const found = await links.find('sign_in', token, new Date());
    const closed = whyClosed(found?.link);
    if (!found || closed !== null) return linkOver(reply, closed);
    return sendConfirm(reply, found.link, token);
  });

  app.post(
    '/sign-in/:token',
    { schema: { ...hide, params: TokenParams, body: FormBody.nullish() } },
    async (request, reply) => {
      refuseForeign(request);
      const now = new Date();
      const { token } = request.params;
      const found = await links.find('sign_in', token, now);
      const closed = whyClosed(found?.link);
      if (!found || closed !== null) return linkOver(reply, closed);
      const { by, person } = found.link;
      if (!sessions.isStanding(by, now)) return linkOver(reply);
      const wrong = found.link.is_mailed ? await digitsProblem(found, token, request.body ?? {}) : null;
      if (wrong !== null) return sendConfirm(reply.code(422), found.link, token, wrong);
      if (!(await found.use(now))) return linkOver(reply);
      // Of another's making it ends with nothing of theirs.
      const own = by?.person === person ? by : undefined;
      return signIn(request, reply, { id: person, next: '/approvals', by: own, until: sessions.endOf(by) });
    },
  );

  function sendConfirm(
    reply: FastifyReply,
    { person: id, is_mailed }: LinkOf<'sign_in'>,
    token: string,
    problem?: string,
  ): FastifyReply {
    const person = people.list().find((one) => one.id === id);
    if (!person) return linkOver(reply);
    const form = confirmSignInBody(person.email, is_mailed ? digitsOf(token) : null);
    const body = html`${problem !== undefined && notice('problem', problem)}${form}`;
    return send(reply, page({ title: 'Sign in', body }));
  }

  async function signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    { id, next, by, until }: { id: string; next: string; by: Token | undefined; until: number },
  ): Promise<FastifyReply> {
    const person = people.list().find((one) => one.id === id && !one.disabled);
    if (!person) return linkOver(reply);
    const cookie = await sessions.begin(person, { browser: browserOf(request), by, until }, new Date());
    cookies.set(request, reply, cookie, Math.min(sessions.lifeMs, until - Date.now()));
    return reply.redirect(next, 303);
  }
}

/** Null where it can be signed in by. */
function whyClosed(link: LinkOf<'sign_in'> | undefined): string | null {
  if (link && isGuessed(link))
    return 'This link is over: wrong digits were entered too often. Ask for another.';
  return link && link.used_at === undefined ? null : linkEnded;
}

function refuseForeign(request: FastifyRequest): void {
  if (!isFromOwnPage(request)) throw foreignForm();
}

function linkOver(reply: FastifyReply, why: string | null = null): FastifyReply {
  return over(reply, why ?? linkEnded, { path: '/sign-in', words: 'Sign in' });
}

const browserOf = (request: FastifyRequest) => request.headers['user-agent'] ?? '';
