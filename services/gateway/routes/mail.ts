import type { ApprovalView, Person } from '@placet/events';
import { type App, errorTable, Refusal, StoreFull } from '@placet/runtime';
import type { FastifyReply } from 'fastify';
import * as z from 'zod';
import type { Acts } from '../pages/acts.ts';
import { approvalArticle, approvalContext } from '../pages/approval.ts';
import { decidingForms } from '../pages/forms.ts';
import { html } from '../pages/html.ts';
import { page } from '../pages/layout.ts';
import { send } from '../pages/scope.ts';
import { wordsOf } from '../pages/words.ts';
import { digitsOf, digitsWanted, guessOf, isGuessed } from '../sessions/digits.ts';
import type { Found, LinkOf, Links } from '../sessions/links.ts';
import { isFromElsewhere } from '../sessions/own-form.ts';
import { FormBody, foreignForm, hide, notices, over, Said, type Told, toldBy } from './page-shared.ts';

const TokenParams = z.object({ token: z.string().max(100) });

type Parts = { links: Links; acts: Acts };
type Opened = { found: Found<'mail'>; person: Person; view: ApprovalView };

/**
 * By the link in a mail. Whatever opens links before people do may open this one as often as it likes, run what it
 * finds and send every form: looking decides nothing, and neither does a form without the digits that a person reads
 * and types.
 */
export function mailRoutes(app: App, { links, acts }: Parts) {
  app.addHook('onRequest', (_request, reply, next) => {
    // The address itself is the secret.
    reply.header('referrer-policy', 'no-referrer');
    next();
  });

  app.get(
    '/mail/:token',
    { schema: { ...hide, params: TokenParams, querystring: Said } },
    async (request, reply) => {
      const { token } = request.params;
      const opened = await open(token);
      if (!opened) return linkOver(reply);
      return send(reply, mailPage(opened, token, toldBy(request.query)));
    },
  );

  app.post(
    '/mail/:token/:act',
    {
      schema: { ...hide, params: TokenParams.extend({ act: z.enum(['votes', 'edits']) }), body: FormBody },
    },
    async (request, reply) => {
      const { token, act } = request.params;
      const form = request.body;
      if (isFromElsewhere(request)) throw foreignForm();
      const opened = await open(token);
      if (!opened) return linkOver(reply);
      const closed = whyClosed(opened);
      if (closed !== null) return send(reply.code(409), mailPage(opened, token, {}));
      const guess = await guessOf(opened.found, token, form['code']).catch(noRoom);
      if (guess === 'wrong') {
        return send(reply.code(422), mailPage(opened, token, { problem: digitsWanted, form }));
      }
      const giveBack = guess === 'right' ? await opened.found.use(new Date()).catch(noRoom) : null;
      // Somebody was a moment faster with the same link, or guessed too often.
      if (!giveBack) return send(reply.code(409), mailPage((await open(token)) ?? opened, token, {}));
      try {
        const { person, view } = opened;
        const said = await acts[act](view, { person, channel: 'email' }, form);
        return reply.redirect(`/mail/${token}?said=${said}`, 303);
      } catch (error) {
        // A vote that was refused leaves the link as it was.
        await giveBack();
        if (!(error instanceof Refusal)) throw error;
        reply.code(errorTable[error.code].status);
        const now = (await open(token)) ?? opened;
        return send(reply, mailPage(now, token, { problem: wordsOf(error), form }));
      }
    },
  );

  async function open(token: string): Promise<Opened | null> {
    const found = await links.find('mail', token, new Date());
    if (!found) return null;
    const { person } = found;
    return { found, person, view: await acts.seen(found.link.action_id, person) };
  }
}

function mailPage(opened: Opened, token: string, said: Told): string {
  const { view, person } = opened;
  const closed = whyClosed(opened);
  const body = html`${notices(said)}
<p class="soft">For ${person.email}</p>
${approvalArticle(view, new Date())}
${closed === null && decidingForms(view, { path: `/mail/${token}`, form: said.form ?? {}, code: digitsOf(token) })}
${closed !== null && html`<p class="notice">${closed}</p>`}
${approvalContext(view)}
<p class="soft"><a href="/approvals/${view.id}">Open it signed in</a></p>`;
  return page({ title: `${view.agent}: ${view.action_name}`, body });
}

/** Why nothing can be decided by this link; null where it can. */
function whyClosed({
  found: { link },
  view,
}: {
  found: { link: LinkOf<'mail'> };
  view: ApprovalView;
}): string | null {
  if (view.status !== 'pending') return 'It is decided.';
  if (link.used_at !== undefined) return 'This link has been used. Sign in to change what you said.';
  if (isGuessed(link)) return 'This link is over: wrong digits were entered too often. Sign in to decide.';
  if (view.payload_digest !== link.payload_digest)
    return 'It has been changed since this mail was sent. The newest mail has a link for it as it is now.';
  if (!view.may_vote) return 'You are not asked any more.';
  if (view.only_in !== null && !view.only_in.includes('email'))
    return 'The policy wants this to be decided by people who are signed in.';
  return null;
}

function linkOver(reply: FastifyReply): FastifyReply {
  const said = 'This link is over, or there never was one.';
  return over(reply, said, { path: '/approvals', words: 'Sign in to see what waits for you' });
}

function noRoom(error: unknown): never {
  if (!(error instanceof StoreFull)) throw error;
  throw new Refusal('STORE_FULL', {
    message: 'Links in mails cannot be used now. Sign in to decide.',
    cause: error,
  });
}
