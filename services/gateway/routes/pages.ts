import { type ApprovalView, type Person, placesText, requests } from '@placet/events';
import { type App, ask, type BusContext, errorTable, Refusal } from '@placet/runtime';
import * as z from 'zod';
import { audienceFor, audienceOf, voterOf } from '../accounts/audience.ts';
import type { GatewayConfig } from '../config.ts';
import type { Acts } from '../pages/acts.ts';
import { approvalArticle, approvalContext } from '../pages/approval.ts';
import { commentForm, decidingForms } from '../pages/forms.ts';
import { html } from '../pages/html.ts';
import { notice, page } from '../pages/layout.ts';
import { inOrder, type ListKind, listBody, listKinds, nextLine } from '../pages/list.ts';
import { send } from '../pages/scope.ts';
import { styleText } from '../pages/style.ts';
import { wordsOf } from '../pages/words.ts';
import { createCookies } from '../sessions/cookie.ts';
import type { Sessions, SignedIn } from '../sessions/sessions.ts';
import { FormBody, hide, notices, Said, type Told, toldBy } from './page-shared.ts';
import { createViewers, toSignIn } from './viewers.ts';

const Shown = z.object({
  show: z.enum(Object.keys(listKinds) as [ListKind, ...ListKind[]]).catch('mine'),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .catch(undefined),
});
/** Of what waits all is wanted, to be in its order; of what is over only the latest. */
const itemsMax = { mine: 200, open: 200, decided: 50 } as const;
const Page = z.object({ approvals: z.array(z.custom<ApprovalView>()), before: z.number().nullable() });

type Parts = {
  context: BusContext;
  sessions: Sessions;
  acts: Acts;
  config: Pick<GatewayConfig, 'publicUrl'>;
};

/** For people who are signed in. Nothing on these pages needs a script. */
export function pageRoutes(app: App, { context, sessions, acts, config }: Parts) {
  const { signedIn, ownForm } = createViewers({ sessions, cookies: createCookies(config.publicUrl) });

  app.get('/pages.css', { schema: hide }, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').type('text/css; charset=utf-8').send(styleText),
  );

  app.get('/approvals', { schema: { ...hide, querystring: Shown } }, async (request, reply) => {
    const viewer = await signedIn(request);
    if (!viewer) return toSignIn(request, reply);
    const { show, cursor } = request.query;
    const { approvals, before } = await listed(viewer.person, show, cursor);
    const next = before === null ? null : String(before);
    const body = listBody({ kind: show, approvals, next }, new Date());
    return send(reply, page({ title: listKinds[show], viewer, body }));
  });

  app.get(
    '/approvals/:id',
    { schema: { ...hide, params: z.object({ id: z.string() }), querystring: Said } },
    async (request, reply) => {
      const viewer = await signedIn(request);
      if (!viewer) return toSignIn(request, reply);
      const view = await acts.seen(request.params.id, viewer.person);
      const said = toldBy(request.query);
      const next = said.told === undefined ? undefined : await nextFor(viewer, view);
      return send(reply, approvalPage(view, viewer, said, next));
    },
  );

  app.post(
    '/approvals/:id/:act',
    {
      schema: {
        ...hide,
        params: z.object({ id: z.string(), act: z.enum(['votes', 'edits', 'comments']) }),
        body: FormBody,
      },
    },
    async (request, reply) => {
      const viewer = await ownForm(request);
      const { id, act } = request.params;
      const view = await acts.seen(id, viewer.person);
      try {
        const said = await acts[act](view, { person: viewer.person, channel: 'inbox' }, request.body);
        return reply.redirect(`/approvals/${view.id}?said=${said}`, 303);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // As it is now, with what was filled in.
        const now = await acts.seen(id, viewer.person);
        reply.code(errorTable[error.code].status);
        return send(reply, approvalPage(now, viewer, { problem: wordsOf(error), form: request.body }));
      }
    },
  );

  function listed(person: Person, show: ListKind, cursor?: string) {
    const question = {
      status: show === 'decided' ? 'decided' : 'pending',
      audience: show === 'mine' ? audienceFor(person, 'me') : audienceOf(person),
      votable: show === 'mine',
      by: voterOf(person),
      limit: itemsMax[show],
      ...(cursor === undefined ? {} : { before: Number(cursor) }),
    } as const;
    return ask(context, requests.approvals, question, Page);
  }

  /** What else waits for somebody, the most pressing of it. */
  async function nextFor({ person }: SignedIn, { id }: ApprovalView): Promise<ApprovalView | null> {
    const { approvals } = await listed(person, 'mine');
    return inOrder('mine', approvals).find((one) => one.id !== id) ?? null;
  }
}

function approvalPage(view: ApprovalView, viewer: SignedIn, said: Told, next?: ApprovalView | null): string {
  const forms = { path: `/approvals/${view.id}`, formToken: viewer.formToken, form: said.form ?? {} };
  const isAsked = view.status === 'pending' && view.may_vote;
  const isHere = view.only_in === null || view.only_in.includes('inbox');
  const body = html`${notices(said)}${next !== undefined && nextLine(next)}
${approvalArticle(view, new Date())}
${isAsked && isHere && decidingForms(view, forms)}
${isAsked && !isHere && notice('problem', `The policy wants this to be decided ${placesText(view.only_in ?? [])}.`)}
${view.status === 'pending' && !view.may_vote && html`<p class="soft">You are not asked to decide this.</p>`}
${view.status === 'pending' && commentForm(view, forms)}
${approvalContext(view)}`;
  return page({ title: `${view.agent}: ${view.action_name}`, viewer, body });
}
