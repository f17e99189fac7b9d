import { parseJson } from '@placet/proof';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import * as z from 'zod';
import { newId } from './bus.ts';
import { type ErrorCode, errorTable, Refusal, StoreFull, Unavailable } from './errors.ts';
import type { Logger } from './logger.ts';
import { createMethods } from './methods.ts';
import type { Metrics } from './metrics.ts';
import { misfit, misfitOf, unknownField } from './validation.ts';

export const bodyBytesMax = 256 * 1024;

export const ErrorBody = z
  .object({
    error: z.string().describe('A stable code.'),
    message: z.string().describe('What is wrong, and what to do next.'),
    details: z.unknown().optional(),
    request_id: z.string(),
  })
  .meta({ id: 'Error' });

export type App = ReturnType<typeof createApp>;

/** What every HTTP server of Placet has: request ids, strict JSON, one form of errors, health and metrics. */
export function createApp(options: {
  logger: Logger;
  metrics: Metrics;
  /** What is not ready, in words; empty when all is well. */
  unready: () => string[];
  trustProxy?: string[];
  /** What a browser is shown where there is nothing; it makes nothing of JSON. */
  problemPage?: (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;
}) {
  const { logger, metrics } = options;
  // As fastify knows it, so that a part of the application is one of its kind.
  const loggerInstance: FastifyBaseLogger = logger;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    // Whoever logs names the request. A logger for each request costs more than most requests are worth.
    childLoggerFactory: (parent) => parent,
    bodyLimit: bodyBytesMax,
    // How long a request may take to arrive; waiting for a decision comes after that.
    requestTimeout: 30_000,
    trustProxy: options.trustProxy?.length ? options.trustProxy : false,
    genReqId: () => `req_${newId()}`,
    // Fastify's own refusal has not the form of our errors; the hook below refuses.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200, caseSensitive: true },
    // A path that no route can take is refused before the hooks and the handlers below are there.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      answerError(error, request, reply);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, next) => {
    parseBody(body as Buffer, next);
  });
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  const methods = createMethods();
  app.addHook('onRoute', ({ url, method }) => methods.add(url, method));
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.of(request.url);
    if (allowed.length === 0) {
      const isBrowser = request.headers.accept?.includes('text/html') ?? false;
      const answer = (isBrowser && options.problemPage) || answerError;
      return answer(new Refusal('NOT_FOUND', { message: 'There is no such path.' }), request, reply);
    }
    reply.header('allow', allowed.join(', '));
    const message = `This path takes ${allowed.join(' or ')}, not ${request.method}.`;
    return answerError(new Refusal('METHOD_NOT_ALLOWED', { message }), request, reply);
  });
  let closing = false;
  app.addHook('preClose', (next) => {
    closing = true;
    next();
  });
  app.addHook('onRequest', (_request, _reply, next) => {
    next(closing ? new Refusal('UNAVAILABLE', { retryAfterS: 1 }) : undefined);
  });
  app.addHook('preValidation', (request, _reply, next) => {
    const { schema } = request.routeOptions;
    const unknown = schema?.querystring || isHidden(schema) ? [] : Object.keys(request.query as object);
    next(unknown.length === 0 ? undefined : misfitOf(unknown.map((name) => unknownField(name))));
  });
  app.addHook('onSend', (request, reply, _payload, next) => {
    reply.header('x-request-id', request.id);
    // A connection that its client keeps alive would keep the server from closing.
    if (closing) reply.header('connection', 'close');
    next();
  });
  app.addHook('onResponse', (request, reply, next) => {
    metrics.httpSeconds.observe(
      {
        route: request.routeOptions.url ?? 'unknown',
        method: request.method,
        status: String(reply.statusCode),
      },
      reply.elapsedTime / 1000,
    );
    next();
  });
  app.get('/health', { schema: { hide: true } }, () => ({ status: 'up' }));
  app.get('/ready', { schema: { hide: true } }, (_request, reply) => {
    const unready = options.unready();
    return reply.code(unready.length > 0 ? 503 : 200).send({ ready: unready.length === 0, unready });
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return app;
}

function parseBody(body: Buffer, next: (error: Error | null, value?: unknown) => void): void {
  const parsed = readBody(body);
  if (parsed instanceof Refusal) next(parsed);
  else next(null, parsed);
}

function readBody(body: Buffer): unknown {
  // Some clients name a content type and send nothing.
  if (body.length === 0) return undefined;
  const parsed = parseJson(body);
  if (parsed.ok) return parsed.value;
  const { kind, path, message } = parsed.problem;
  return kind === 'not_json'
    ? new Refusal('NOT_JSON', { message: `The body is not JSON: ${message}` })
    : new Refusal('VALIDATION_ERROR', {
        message: `The body cannot be carried exactly: ${message}`,
        details: [{ path, message }],
      });
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error, request);
  const { status } = errorTable[refusal.code];
  if (status >= 500 && refusal.code !== 'STORE_FULL') {
    request.log.error(
      { err: error, requestId: request.id, route: request.routeOptions.url },
      'a request failed',
    );
  }
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="placet"');
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', refusal.retryAfterS);
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({
      error: refusal.code,
      message: refusal.message,
      ...(refusal.details === undefined ? {} : { details: refusal.details }),
      request_id: request.id,
    });
}

const fastifyCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'NOT_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'NOT_JSON',
  FST_ERR_BAD_URL: 'NOT_FOUND',
  FST_ERR_MAX_PARAM_LENGTH: 'NOT_FOUND',
};

/** Any error as one that can be told. */
export function refusalOf(error: unknown, request: FastifyRequest): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreFull) return new Refusal('STORE_FULL', { retryAfterS: 30, cause: error });
  if (error instanceof Unavailable) return new Refusal('UNAVAILABLE', { retryAfterS: 1, cause: error });
  if (hasZodFastifySchemaValidationErrors(error)) {
    return misfit(error.validation, (error as Partial<FastifyError>).validationContext, request);
  }
  const code = fastifyCodes[(error as FastifyError)?.code];
  if (code) return new Refusal(code, { cause: error });
  return new Refusal('INTERNAL', { cause: error });
}

function isHidden(schema: unknown): boolean {
  return schema === undefined || (schema as { hide?: boolean }).hide === true;
}
