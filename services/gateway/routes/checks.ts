import { Readable } from 'node:stream';
import type { App } from '@placet/runtime';
import type { FastifyReply } from 'fastify';
import * as z from 'zod';
import type { Auth } from '../auth.ts';
import { Answer } from '../checks/answer.ts';
import type { Checks } from '../checks/checks.ts';
import { follow, serverSent } from '../checks/follow.ts';
import { knownForm } from '../checks/known-form.ts';
import type { Reports } from '../checks/reports.ts';
import { CheckBody, ExecutionBody, LogBody } from '../checks/request.ts';
import { ActionParams, errors } from './shared.ts';

const Wait = z.strictObject({
  wait: z.coerce.number().min(0).max(60).default(0).describe('Seconds to wait for the decision, at most 60.'),
});

export function checkRoutes(
  app: App,
  { auth, checks, reports }: { auth: Auth; checks: Checks; reports: Reports },
) {
  const tags = ['Checks'];
  const security = [{ agentKey: [] }];

  app.post(
    '/v1/check',
    {
      schema: {
        tags,
        security,
        summary: 'Ask whether an action may run.',
        body: CheckBody,
        querystring: Wait,
        response: { 200: Answer, ...errors },
      },
    },
    (request, reply) =>
      checks.submit(auth.agentOf(request), request.body, { waitS: request.query.wait, signal: gone(reply) }),
  );

  app.get(
    '/v1/check/:id',
    {
      schema: {
        tags,
        security,
        summary: 'Read the answer, or wait for it.',
        params: ActionParams,
        querystring: Wait,
        response: { 200: Answer, ...errors },
      },
    },
    (request, reply) =>
      checks.read(auth.agentOf(request).name, knownForm(request.params.id), {
        waitS: request.query.wait,
        signal: gone(reply),
      }),
  );

  app.get(
    '/v1/check/:id/events',
    {
      schema: {
        tags,
        security,
        summary: 'The answer, and again whenever it changes, as server-sent events until it is decided.',
        params: ActionParams,
        response: {
          200: {
            description: 'An event for each answer; the name of the event is its decision.',
            content: { 'text/event-stream': { schema: z.unknown() } },
          },
          ...errors,
        },
      },
    },
    async (request, reply) => {
      const agent = auth.agentOf(request).name;
      const answers = follow(checks, { agent, actionId: knownForm(request.params.id), signal: gone(reply) });
      // Whoever hangs up before the first line is read leaves it as well.
      reply.raw.once('close', () => void answers.return(null));
      // What is wrong with the question is said before the stream begins.
      const first = await answers.next();
      const headers = {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      };
      return reply.headers(headers).send(Readable.from(written(first, answers)));
    },
  );

  app.delete(
    '/v1/check/:id',
    {
      schema: {
        tags,
        security,
        summary: 'Withdraw a request that is not decided yet.',
        params: ActionParams,
        response: { 200: Answer, ...errors },
      },
    },
    (request) => checks.withdraw(auth.agentOf(request).name, knownForm(request.params.id)),
  );

  app.post(
    '/v1/check/:id/execution',
    {
      schema: {
        tags,
        security,
        summary: 'Report that an allowed action ran. This uses the permission up.',
        params: ActionParams,
        body: ExecutionBody,
        response: {
          201: z.object({
            action_id: z.string(),
            status: z.string(),
            reported_at: z.string(),
            late: z.boolean(),
          }),
          ...errors,
        },
      },
    },
    async (request, reply) => {
      reply.code(201);
      return reports.executed(auth.agentOf(request), knownForm(request.params.id), request.body);
    },
  );

  app.post(
    '/v1/actions/log',
    {
      schema: {
        tags,
        security,
        summary: 'Put something on the record that the agent did without asking.',
        body: LogBody,
        response: { 201: z.object({ action_id: z.string(), logged_at: z.string() }), ...errors },
      },
    },
    async (request, reply) => {
      reply.code(201);
      return reports.logged(auth.agentOf(request), request.body);
    },
  );
}

async function* written(first: IteratorResult<Answer | null>, answers: AsyncGenerator<Answer | null>) {
  try {
    if (first.done) return;
    yield serverSent(first.value);
    for await (const answer of answers) yield serverSent(answer);
  } finally {
    await answers.return(null);
  }
}

/** A caller that has hung up is not waited for. */
function gone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
