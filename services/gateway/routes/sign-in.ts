import type { Person } from '@placet/events';
import { parseCredential } from '@placet/proof';
import type { App } from '@placet/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { type People, timesDisabled } from '../accounts/people.ts';
import type { GatewayConfig } from '../config.ts';
import { html } from '../pages/html.ts';
import { notice, page } from '../pages/layout.ts';
import { send } from '../pages/scope.ts';
import { confirmSignInBody, signInBody } from '../pages/sign-in.ts';
import { createCookies } from '../sessions/cookie.ts';
import { digitsOf, digitsProblem, isGuessed } from '../sessions/digits.ts';
import type { Found, Links, Token } from '../sessions/links.ts';
import { isFromOwnPage } from '../sessions/own-form.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SignInMails } from '../sessions/sign-in-mails.ts';
import { FormBody, foreignForm, hide, over } from './page-shared.ts';

const linkGuessed = 'This link is over: wrong digits were entered too often. Ask for another.';
const linkEnded = 'This link is over: it works once, and not for long. Ask for another.';
const TokenParams = z.object({ token: z.string().max(100) });

/** Only within these pages: a link must not send whoever signs in somewhere else. */
const nextOf = (text: string | undefined) =>
  /^\/(approvals(\/act_[0-9a-z]+)?|account)$/.test(text ?? '') ? (text ?? '') : '/approvals';

type Opened = { found: Found<'sign_in'>; person: Person };
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

  app.get('/sign-in/:token', { schema: { ...hide, params: TokenParams } }, async (request, reply) => {
    const { token } = request.params;
    const opened = await open(token, new Date());
    return 'closed' in opened ? linkOver(reply, opened.closed) : sendConfirm(reply, opened, token);
  });

  app.post(
    '/sign-in/:token',
    { schema: { ...hide, params: TokenParams, body: FormBody.nullish() } },
    async (request, reply) => {
      refuseForeign(request);
      const now = new Date();
      const { token } = request.params;
      const opened = await open(token, now);
      if ('closed' in opened) return linkOver(reply, opened.closed);
      const { found, person } = opened;
      const { by, is_mailed } = found.link;
      const wrong = is_mailed ? await digitsProblem(found, token, request.body?.['code']) : null;
      if (wrong !== null) return sendConfirm(reply.code(422), opened, token, wrong);
      if (!(await found.use(now))) return linkOver(reply, linkEnded);
      // Of another's making it ends with nothing of theirs.
      const own = by?.person === person.id ? by : undefined;
      return signIn(request, reply, { person, next: '/approvals', by: own, until: sessions.endOf(by) });
    },
  );

  /** What a link is for, or why it signs nobody in. */
  async function open(token: string, now: Date): Promise<Opened | { closed: string }> {
    const found = await links.find('sign_in', token, now);
    const person = people.list().find(({ id, disabled }) => id === found?.link.person && !disabled);
    if (!found || !person) return { closed: linkEnded };
    const { used_at, by, times_disabled } = found.link;
    if (isGuessed(found.link)) return { closed: linkGuessed };
    const isOver = used_at !== undefined || times_disabled !== timesDisabled(person);
    return isOver || !sessions.holds(by, now) ? { closed: linkEnded } : { found, person };
  }

  async function signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    { person, next, by, until }: { person: Person; next: string; by: Token | undefined; until: number },
  ): Promise<FastifyReply> {
    const cookie = await sessions.begin(person, { browser: browserOf(request), by, until }, new Date());
    cookies.set(request, reply, cookie, Math.min(sessions.lifeMs, until - Date.now()));
    return reply.redirect(next, 303);
  }
}

function sendConfirm(reply: FastifyReply, { found, person }: Opened, token: string, problem?: string) {
  const form = confirmSignInBody(person.email, found.link.is_mailed ? digitsOf(token) : null);
  const body = html`${problem !== undefined && notice('problem', problem)}${form}`;
  return send(reply, page({ title: 'Sign in', body }));
}

function refuseForeign(request: FastifyRequest): void {
  if (!isFromOwnPage(request)) throw foreignForm();
}

function linkOver(reply: FastifyReply, why: string): FastifyReply {
  return over(reply, why, { path: '/sign-in', words: 'Sign in' });
}

const browserOf = (request: FastifyRequest) => request.headers['user-agent'] ?? '';
