import { type App, Refusal } from '@placet/runtime';
import type { FastifyBaseLogger } from 'fastify';
import * as z from 'zod';
import type { GatewayConfig } from '../config.ts';
import type { Interactions } from '../slack/interactions.ts';
import { isFromSlack } from '../slack/signature.ts';
import { errors } from './shared.ts';

const FieldErrors = z.object({
  response_action: z.literal('errors'),
  errors: z.record(z.string(), z.string()),
});
const NextView = z.object({ response_action: z.literal('update'), view: z.looseObject({}) });

type Parts = { config: GatewayConfig; interactions: Interactions };

/** Where Slack says what people clicked. The signature is of the bytes, so they are taken as they came. */
export function slackRoutes(app: App, { config, interactions }: Parts) {
  const { slackSigningSecret } = config;
  if (slackSigningSecret === undefined) return;
  const tellOfSignature = createSignatureTeller();

  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (_request, body, next) => next(null, body),
  );

  app.post(
    '/slack/interactive',
    {
      schema: {
        tags: ['Channels'],
        summary: 'What people click in Slack. For Slack alone: each request carries its signature.',
        consumes: ['application/x-www-form-urlencoded'],
        body: z.instanceof(Buffer),
        response: { 200: z.union([z.literal(''), FieldErrors, NextView]), ...errors },
      },
    },
    async (request, reply) => {
      const { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature } = request.headers;
      const signed = { timestamp: textOf(timestamp), signature: textOf(signature), body: request.body };
      if (!isFromSlack(slackSigningSecret, signed, new Date())) {
        tellOfSignature(request.log);
        throw new Refusal('INVALID_SIGNATURE');
      }
      const at = new Date(Number(signed.timestamp) * 1000);
      const sent = { mark: signed.signature ?? '', at };
      const answer = await interactions(payloadIn(request.body), sent);
      return answer === null ? reply.code(200).type('text/plain').send('') : reply.code(200).send(answer);
    },
  );
}

const textOf = (header: string | string[] | undefined) => (typeof header === 'string' ? header : undefined);

const signatureToldEveryMs = 60_000;

/** Whoever set the wrong secret looks for why buttons do nothing; whoever sends nonsense does not fill the log. */
function createSignatureTeller(): (log: FastifyBaseLogger) => void {
  let toldAt = 0;
  return (log) => {
    if (Date.now() - toldAt < signatureToldEveryMs) return;
    toldAt = Date.now();
    log.warn('a request to /slack/interactive is not signed as Slack would: see PLACET_SLACK_SIGNING_SECRET');
  };
}

function payloadIn(body: Buffer): unknown {
  try {
    return JSON.parse(new URLSearchParams(body.toString('utf8')).get('payload') ?? 'null');
  } catch {
    return null;
  }
}
