import { type App, errorTable, refusalOf } from '@placet/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { html } from './html.ts';
import { notice, page } from './layout.ts';

const headers = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  // Enough for a browser to say that a form is from here, and nothing for anybody else.
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex',
};

/** A part of the application that answers with pages and takes forms. */
export async function inPages(app: App, routes: (scope: App) => void): Promise<void> {
  await app.register(async (inner) => {
    const scope = inner.withTypeProvider<ZodTypeProvider>();
    scope.addHook('onRequest', (_request, reply, next) => {
      reply.headers(headers);
      next();
    });
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, next) => next(null, Object.fromEntries(new URLSearchParams(body as string))),
    );
    scope.setErrorHandler((error, request, reply) => answerProblem(error, request, reply));
    routes(scope);
  });
}

export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(headers);
  const refusal = refusalOf(error, request);
  const { status } = errorTable[refusal.code];
  if (status >= 500) request.log.error({ err: error, requestId: request.id }, 'a page failed');
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', refusal.retryAfterS);
  const body = html`${notice('problem', refusal.message)}<p><a href="/approvals">What waits for you</a></p>
<p class="soft">${request.id}</p>`;
  return send(reply.code(status), page({ title: 'Not possible', body }));
}

export function send(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(text);
}
