import { Refusal } from '@placet/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Form } from '../pages/answer.ts';
import type { Cookies } from '../sessions/cookie.ts';
import { isFromOwnPage } from '../sessions/own-form.ts';
import { isFormToken, type Sessions, type SignedIn } from '../sessions/sessions.ts';
import { foreignForm } from './page-shared.ts';

/** Who looks at a page, and who sends its forms. */
export function createViewers({ sessions, cookies }: { sessions: Sessions; cookies: Cookies }) {
  function signedIn(request: FastifyRequest): Promise<SignedIn | null> {
    return sessions.find(cookies.read(request), new Date());
  }

  return {
    signedIn,

    /** Who sends a form of ours; one that another site has a browser send is refused. */
    async ownForm(request: FastifyRequest): Promise<SignedIn> {
      const viewer = await signedIn(request);
      if (!viewer) {
        throw new Refusal('MISSING_TOKEN', {
          message: 'You are not signed in any more. Sign in, and do it again.',
        });
      }
      const { form_token } = request.body as Form;
      if (isFromOwnPage(request) && isFormToken(viewer, form_token)) return viewer;
      throw foreignForm();
    },
  };
}

export function toSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.redirect(`/sign-in?next=${encodeURIComponent(request.url.split('?')[0] ?? '')}`, 303);
}
