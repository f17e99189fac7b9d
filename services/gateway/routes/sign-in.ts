import { requests } from '@placet/events';
import { parseCredential } from '@placet/proof';
import { type App, ask, type BusContext, Refusal } from '@placet/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { People } from '../accounts/people.ts';
import type { GatewayConfig } from '../config.ts';
import { html } from '../pages/html.ts';
import { notice, page } from '../pages/layout.ts';
import { send } from '../pages/scope.ts';
import { confirmSignInBody, signInBody } from '../pages/sign-in.ts';
import { createCookies } from '../sessions/cookie.ts';
import type { Links, Token } from '../sessions/links.ts';
import { isFromOwnPage } from '../sessions/own-form.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SignInLinks } from '../sessions/sign-in-links.ts';
import { FormBody } from './pages.ts';

const hide = { hide: true } as const;
const TokenParams = z.object({ token: z.string().max(100) });
const mailLinkMs = 15 * 60_000;

/** Only within these pages: a link must not send whoever signs in somewhere else. */
const nextOf = (text: string | undefined) =>
  /^\/(approvals(\/act_[0-9a-z]+)?|account)$/.test(text ?? '') ? (text ?? '') : '/approvals';

type Parts = {
  context: BusContext;
  config: GatewayConfig;
  people: People;
  sessions: Sessions;
  links: Links;
  signInLinks: SignInLinks;
};

export function signInRoutes(app: App, { context, config, people, sessions, links, signInLinks }: Parts) {
  const cookies = createCookies(config.publicUrl);
  const byMail = config.mailFrom !== undefined && config.publicUrl !== undefined;

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
    // Nobody sees from the time it takes whether there is such a person.
    if (byMail && email !== undefined) void sendLink(email);
    const said =
      'If Placet knows this address, a mail with a link is on its way. It works once, for 15 minutes.';
    return send(reply, page({ title: 'Look into your mail', body: notice('done', said) }));
  });

  app.get('/sign-in/:token', { schema: { ...hide, params: TokenParams } }, async (request, reply) => {
    const found = await links.find('sign_in', request.params.token, new Date());
    const person = found && people.list().find(({ id }) => id === found.link.person);
    if (!found || !person || found.link.used_at !== undefined) return over(reply);
    return send(reply, page({ title: 'Sign in', body: confirmSignInBody(person.email) }));
  });

  app.post(
    '/sign-in/:token',
    { schema: { ...hide, params: TokenParams, body: FormBody.nullish() } },
    async (request, reply) => {
      refuseForeign(request);
      const now = new Date();
      const found = await links.find('sign_in', request.params.token, now);
      const { by, person } = found?.link ?? {};
      if (!found || !sessions.isStanding(by, now) || !(await found.use(now))) return over(reply);
      // Of another's making it ends with nothing of theirs.
      const own = by?.person === person ? by : undefined;
      return signIn(request, reply, {
        id: found.link.person,
        next: '/approvals',
        by: own,
        until: sessions.endOf(by),
      });
    },
  );

  async function signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    { id, next, by, until }: { id: string; next: string; by: Token | undefined; until: number },
  ): Promise<FastifyReply> {
    const person = people.list().find((one) => one.id === id && !one.disabled);
    if (!person) return over(reply);
    const cookie = await sessions.begin(person, { browser: browserOf(request), by, until }, new Date());
    cookies.set(request, reply, cookie, Math.min(sessions.lifeMs, until - Date.now()));
    return reply.redirect(next, 303);
  }

  /**
   * Whether there is such a person, and whether the mail went out, is nobody's business who asks. This must not throw:
   * nobody waits for it.
   */
  async function sendLink(email: string): Promise<void> {
    const wanted = email.trim().toLowerCase();
    const person = people.list().find((one) => one.email === wanted && !one.disabled);
    if (!person || !signInLinks.mayMail(person.id, new Date())) return;
    try {
      const { url } = await signInLinks.make(person.id, { base: config.publicUrl ?? '', lifeMs: mailLinkMs });
      await ask(context, requests.signInMail, { to: person.email, url }, z.object({}));
    } catch (error) {
      context.logger.warn({ err: error }, 'a link to sign in was not mailed');
    }
  }
}

function refuseForeign(request: FastifyRequest): void {
  if (isFromOwnPage(request)) return;
  throw new Refusal('FORBIDDEN', {
    message: 'This did not come from a page of ours. Open the page, and do it there.',
  });
}

function over(reply: FastifyReply): FastifyReply {
  const said = 'This link is over: it works once, and not for long. Ask for another.';
  const body = html`${notice('problem', said)}<p><a href="/sign-in">Sign in</a></p>`;
  return send(reply.code(410), page({ title: 'This link is over', body }));
}

const browserOf = (request: FastifyRequest) => request.headers['user-agent'] ?? '';
