import type { App } from '@placet/runtime';
import * as z from 'zod';
import type { People } from '../accounts/people.ts';
import type { GatewayConfig } from '../config.ts';
import { accountBody } from '../pages/account.ts';
import { page } from '../pages/layout.ts';
import { send } from '../pages/scope.ts';
import { createCookies } from '../sessions/cookie.ts';
import type { Sessions, SignedIn } from '../sessions/sessions.ts';
import type { SlackCodes } from '../sessions/slack-codes.ts';
import { FormBody, hide } from './page-shared.ts';
import { createViewers, toSignIn } from './viewers.ts';

type Parts = {
  people: People;
  sessions: Sessions;
  codes: SlackCodes;
  config: Pick<GatewayConfig, 'slackSigningSecret' | 'slackAppToken' | 'publicUrl'>;
};

/** Who somebody is here and in Slack, and where they are signed in. */
export function accountRoutes(app: App, { people, sessions, codes, config }: Parts) {
  const cookies = createCookies(config.publicUrl);
  const { signedIn, ownForm } = createViewers({ sessions, cookies });
  const isInSlack = config.slackSigningSecret !== undefined || config.slackAppToken !== undefined;

  app.get('/account', { schema: hide }, async (request, reply) => {
    const viewer = await signedIn(request);
    if (!viewer) return toSignIn(request, reply);
    return send(reply, await accountPage(viewer));
  });

  app.post('/account/slack-codes', { schema: { ...hide, body: FormBody } }, async (request, reply) => {
    const viewer = await ownForm(request);
    return send(reply, await accountPage(viewer, await codes.make(viewer.person, new Date())));
  });

  app.post('/account/slack/unlink', { schema: { ...hide, body: FormBody } }, async (request, reply) => {
    const { person } = await ownForm(request);
    const { team = '', user = '' } = request.body;
    await people.unlinkSlack(person.id, { team, user }, person.id);
    return reply.redirect('/account', 303);
  });

  app.post(
    '/account/sessions/:session/end',
    {
      schema: { ...hide, params: z.object({ session: z.string().regex(/^[0-9a-f]{64}$/) }), body: FormBody },
    },
    async (request, reply) => {
      const { person } = await ownForm(request);
      await sessions.end(person.id, request.params.session, new Date());
      return reply.redirect('/account', 303);
    },
  );

  app.post('/sign-out', { schema: { ...hide, body: FormBody } }, async (request, reply) => {
    const { person, session } = await ownForm(request);
    await sessions.end(person.id, session, new Date());
    cookies.set(request, reply, '', 0);
    return reply.redirect('/sign-in?signed_out', 303);
  });

  async function accountPage(viewer: SignedIn, code?: string): Promise<string> {
    const { person, session, formToken } = viewer;
    const open = await sessions.open(person.id, new Date());
    const body = accountBody({ person, sessions: open, current: session, formToken, isInSlack, code });
    return page({ title: 'Your account', viewer, body });
  }
}
