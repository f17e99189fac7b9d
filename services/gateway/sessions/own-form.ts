import type { FastifyRequest } from 'fastify';

type Request = Pick<FastifyRequest, 'headers' | 'host'>;

const header = ({ headers }: Request, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** Whether a form was sent from one of our own pages, as the browser says. Who says nothing is not believed. */
export function isFromOwnPage(request: Request): boolean {
  const site = header(request, 'sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = header(request, 'origin');
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === request.host;
}

/** Not from another site, as far as the browser says. */
export function isFromElsewhere(request: Request): boolean {
  const site = header(request, 'sec-fetch-site');
  return site === 'cross-site' || site === 'same-site';
}
