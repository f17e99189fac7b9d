import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * A browser sends a cookie with this prefix to no other host, and takes it only where nobody can listen. Over plain
 * HTTP to another machine there is no such cookie to be had.
 */
const strictName = '__Host-placet';
const plainName = 'placet';

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

export type Cookies = ReturnType<typeof createCookies>;

/** Where a browser keeps its session. */
export function createCookies(publicUrl: string | undefined) {
  const isOverTls = publicUrl?.startsWith('https:') === true;
  const isStrict = ({ protocol, host }: Pick<FastifyRequest, 'protocol' | 'host'>) =>
    isOverTls || protocol === 'https' || loopback.test(host);

  return {
    read(request: FastifyRequest): string | undefined {
      const name = isStrict(request) ? strictName : plainName;
      for (const part of (request.headers.cookie ?? '').split(';')) {
        const [key, ...value] = part.trim().split('=');
        if (key === name) return value.join('=');
      }
      return undefined;
    },

    set(request: FastifyRequest, reply: FastifyReply, value: string, lifeMs: number): void {
      const strict = isStrict(request);
      const parts = [
        `${strict ? strictName : plainName}=${value}`,
        'Path=/',
        'HttpOnly',
        'SameSite=Lax',
        `Max-Age=${Math.floor(lifeMs / 1000)}`,
        ...(strict ? ['Secure'] : []),
      ];
      reply.header('set-cookie', parts.join('; '));
    },
  };
}
