import rateLimit from '@fastify/rate-limit';
import { type App, Refusal } from '@placet/runtime';
import type { FastifyRequest } from 'fastify';
import { credentialId } from './auth.ts';
import type { GatewayConfig } from './config.ts';

const probes = new Set(['/health', '/ready']);

export type Limit = (request: FastifyRequest) => Promise<void>;

/**
 * Counts by address whoever calls, before anything else is done for him, and answers the hook that counts by
 * credential. The plugin's own hooks do not do: they count a request once only, and after the authentication.
 */
export async function limitRequests(app: App, config: GatewayConfig): Promise<{ perCredential: Limit }> {
  await app.register(rateLimit, { global: false });
  const limit = (max: number, keyGenerator?: (request: FastifyRequest) => string): Limit => {
    const count = app.createRateLimit({
      max,
      timeWindow: '1 minute',
      ...(keyGenerator ? { keyGenerator } : {}),
    });
    return async (request) => {
      const counted = await count(request);
      if (counted.isAllowed || !counted.isExceeded) return;
      throw new Refusal('RATE_LIMITED', { retryAfterS: Math.max(1, counted.ttlInSeconds) });
    };
  };
  const perAddress = limit(config.requestsPerAddress);
  // A probe that is turned away would have a busy gateway restarted.
  app.addHook('onRequest', async (request) => {
    if (!probes.has(request.url)) await perAddress(request);
  });
  return { perCredential: limit(config.requestsPerKey, credentialId) };
}
