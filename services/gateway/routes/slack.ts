import type { App, BusContext } from '@placet/runtime';
import { Refusal, sleep } from '@placet/runtime';
import * as z from 'zod';
import type { People } from '../accounts/people.ts';
import type { GatewayConfig } from '../config.ts';
import { createClicks } from '../slack/clicks.ts';
import { Click } from '../slack/interaction.ts';
import { tellPrivately } from '../slack/response-url.ts';
import { isFromSlack } from '../slack/signature.ts';
import { errors } from './shared.ts';

/** Slack waits three seconds. */
const answerWithinMs = 2000;

type Parts = { context: BusContext; config: GatewayConfig; people: People };

/** Where Slack says what people clicked. The signature is of the bytes, so they are taken as they came. */
export function slackRoutes(app: App, { context, config, people }: Parts) {
  const { slackSigningSecret } = config;
  if (slackSigningSecret === undefined) return;
  const clicked = createClicks({ context, people });
  async function answer(click: Click): Promise<void> {
    try {
      const told = await clicked(click);
      if (told !== null) await tellPrivately(click.response_url, told, config.slackApiUrl);
    } catch (error) {
      context.logger.warn({ err: error }, 'a click in Slack was not answered');
    }
  }

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
        response: { 200: z.literal(''), ...errors },
      },
    },
    async (request, reply) => {
      const { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature } = request.headers;
      const signed = { timestamp: textOf(timestamp), signature: textOf(signature), body: request.body };
      if (!isFromSlack(slackSigningSecret, signed, new Date())) {
        throw new Refusal('INVALID_SIGNATURE');
      }
      const click = clickIn(request.body);
      if (click) {
        // A vote is stored before Slack hears that it has come, unless that takes longer than Slack waits.
        await Promise.race([answer(click), sleep(answerWithinMs)]);
      }
      return reply.code(200).type('text/plain').send('');
    },
  );
}

const textOf = (header: string | string[] | undefined) => (typeof header === 'string' ? header : undefined);

/** Null for what we do not ask for. */
function clickIn(body: Buffer): Click | null {
  const payload = new URLSearchParams(body.toString('utf8')).get('payload');
  try {
    const parsed = Click.safeParse(JSON.parse(payload ?? 'null'));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
