import type { Person } from '@placet/events';
import type { App } from '@placet/runtime';
import type { FastifyReply } from 'fastify';
import * as z from 'zod';
import type { GatewayConfig } from '../config.ts';
import { html } from '../pages/html.ts';
import { notice, page } from '../pages/layout.ts';
import { send } from '../pages/scope.ts';
import { confirmSignInBody } from '../pages/sign-in.ts';
import { digitsOf, digitsWanted, guessOf, isGuessed } from '../sessions/digits.ts';
import type { Found, Links } from '../sessions/links.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { createEntry, refuseForeign } from './entry.ts';
import { FormBody, hide, over } from './page-shared.ts';

const linkGuessed = 'This link is over: wrong digits were entered too often. Ask for another.';
const linkEnded = 'This link is over: it works once, and not for long. Ask for another.';
const TokenParams = z.object({ token: z.string().max(100) });

type Opened = { found: Found<'sign_in'>; person: Person };
type Parts = { config: Pick<GatewayConfig, 'publicUrl'>; sessions: Sessions; links: Links };

/** Whoever has a link is signed in by the button of its page. */
export function signInLinkRoutes(app: App, { config, sessions, links }: Parts) {
  const signIn = createEntry({ sessions, config });

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
      const guess = is_mailed ? await guessOf(found, token, request.body?.['code']) : 'right';
      if (guess === 'wrong') return sendConfirm(reply.code(422), opened, token, digitsWanted);
      if (guess === 'over') {
        const seen = await open(token, now);
        return linkOver(reply, 'closed' in seen ? seen.closed : linkEnded);
      }
      if (!(await found.use(now))) return linkOver(reply, linkEnded);
      // Of another's making it ends with nothing of theirs.
      const own = by?.person === person.id ? by : undefined;
      return signIn(request, reply, { person, next: '/approvals', by: own, until: sessions.endOf(by) });
    },
  );

  /** What a link is for, or why it signs nobody in. */
  async function open(token: string, now: Date): Promise<Opened | { closed: string }> {
    const found = await links.find('sign_in', token, now);
    if (!found) return { closed: linkEnded };
    const { link, person } = found;
    if (isGuessed(link)) return { closed: linkGuessed };
    const isOver = link.used_at !== undefined || !sessions.holds(link.by, now);
    return isOver ? { closed: linkEnded } : { found, person };
  }
}

function sendConfirm(reply: FastifyReply, { found, person }: Opened, token: string, problem?: string) {
  const form = confirmSignInBody(person.email, found.link.is_mailed ? digitsOf(token) : null);
  const body = html`${problem !== undefined && notice('problem', problem)}${form}`;
  return send(reply, page({ title: 'Sign in', body }));
}

function linkOver(reply: FastifyReply, why: string): FastifyReply {
  return over(reply, why, { path: '/sign-in', words: 'Sign in' });
}
