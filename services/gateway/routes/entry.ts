import type { Person } from '@placet/events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.ts';
import { createCookies } from '../sessions/cookie.ts';
import type { Token } from '../sessions/links.ts';
import { isFromOwnPage } from '../sessions/own-form.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { foreignForm } from './page-shared.ts';

type Parts = { sessions: Sessions; config: Pick<GatewayConfig, 'publicUrl'> };
type Entering = { person: Person; next: string; by: Token | undefined; until: number };

/** Begins a session in the browser that has shown who it is for. */
export function createEntry({ sessions, config }: Parts) {
  const cookies = createCookies(config.publicUrl);
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
    { person, next, by, until }: Entering,
  ): Promise<FastifyReply> => {
    const browser = request.headers['user-agent'] ?? '';
    const cookie = await sessions.begin(person, { browser, by, until }, new Date());
    cookies.set(request, reply, cookie, Math.min(sessions.lifeMs, until - Date.now()));
    return reply.redirect(next, 303);
  };
}

export function refuseForeign(request: FastifyRequest): void {
  if (!isFromOwnPage(request)) throw foreignForm();
}
