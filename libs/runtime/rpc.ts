import { headers, type Msg, type Subscription } from '@nats-io/transport-node';
import { isSealed, type RequestSubject, replySubject } from '@placet/events';
import * as z from 'zod';
import { causeId, type RaiseAlarm } from './alarms.ts';
import { newId } from './bus.ts';
import { type BusContext, sealHeader, sealHolds } from './context.ts';
import { type Detail, type ErrorCode, errorTable, Refusal, StoreFull, Unavailable } from './errors.ts';
import type { Resources } from './lifecycle.ts';

/**
 * A question older than this is not answered, so that one that was kept back or overheard cannot be asked later. It is
 * twice what an asker waits; what is left is for clocks that differ.
 */
const ageMaxMs = 10_000;

/** How long an answer may still come when somebody said that there is nobody. */
const nobodyMs = 100;

const Question = z.object({ id: z.string(), at: z.iso.datetime(), data: z.unknown() });
const Answer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), question: z.string(), data: z.unknown() }),
  z.object({
    ok: z.literal(false),
    question: z.string(),
    code: z.string(),
    message: z.string(),
    details: z.unknown().optional(),
  }),
]);

type Reply = { ok: true; data: unknown } | { ok: false; code: ErrorCode; message: string; details?: unknown };

/** Asks another service. Question and answer are sealed where both hold the key. */
export async function ask<T>(
  context: BusContext,
  subject: RequestSubject,
  data: unknown,
  answer: z.ZodType<T>,
  timeoutMs = 5000,
): Promise<T> {
  const parsed = await answerTo(context, subject, data, timeoutMs);
  if (parsed.ok) return answer.parse(parsed.data);
  const code = (Object.hasOwn(errorTable, parsed.code) ? parsed.code : 'INTERNAL') as ErrorCode;
  throw new Refusal(code, {
    message: parsed.message,
    ...(errorTable[code].status === 503 ? { retryAfterS: 1 } : {}),
    ...(parsed.details ? { details: parsed.details as Detail[] } : {}),
  });
}

/** Waits for the answer that is one: whoever else can write to the reply subject says nothing, and ends nothing. */
function answerTo(
  context: BusContext,
  subject: RequestSubject,
  data: unknown,
  timeoutMs: number,
): Promise<z.infer<typeof Answer>> {
  const id = newId();
  const body = JSON.stringify({ id, at: new Date().toISOString(), data });
  // Not among our other replies, and not to be guessed: whoever answers learns nothing of where those go.
  const reply = replySubject(context.service, subject, id);
  let dropped = '';
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let subscription: Subscription | undefined;
    const end = (tell: () => void) => {
      clearTimeout(timer);
      subscription?.unsubscribe();
      tell();
    };
    const fail = (cause?: unknown) =>
      end(() => {
        const message = `A service that this needs does not answer now. Try again.${dropped}`;
        reject(new Refusal('UNAVAILABLE', { message, retryAfterS: 1, cause }));
      });
    const failIn = (ms: number, why: string) => {
      clearTimeout(timer);
      timer = setTimeout(fail, ms, new Error(why));
    };
    const hear = (message: Msg) => {
      // Anybody could say that there is nobody: an answer that is one may follow.
      if (isNobody(message)) return failIn(nobodyMs, 'no responders: nobody answers under this subject');
      const seal = message.headers?.get(sealHeader);
      if (isSealed(subject) && !sealHolds(context, message.subject, message.data, seal)) {
        dropped = ' An answer did not carry our seal and was dropped.';
        return;
      }
      const parsed = Answer.safeParse(jsonOf(message));
      // Whoever overheard another question could have it answered into the place of this one.
      if (parsed.success && parsed.data.question === id) return end(() => resolve(parsed.data));
      dropped = ' An answer was to another question and was dropped.';
    };
    try {
      failIn(timeoutMs, `no answer within ${timeoutMs} ms`);
      subscription = context.nc.subscribe(reply, {
        callback: (error, message) => (error ? fail(error) : hear(message)),
      });
      context.nc.publish(subject, body, { headers: sealOf(context, subject, body), reply });
    } catch (error) {
      fail(error);
    }
  });
}

/** What the broker says where nobody listens. */
function isNobody({ data, headers: found }: Msg): boolean {
  return data.length === 0 && found?.code === 503;
}

function jsonOf(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

/** Answers questions; instances of a service share them. */
export function answer<T>(
  { context, alarm, resources }: { context: BusContext; alarm: RaiseAlarm; resources: Resources },
  subject: RequestSubject,
  schema: z.ZodType<T>,
  handle: (data: T, id: string) => Promise<unknown>,
): void {
  const atWork = new Set<Promise<void>>();
  const subscription = context.nc.subscribe(subject, {
    queue: context.service,
    callback: (error, message) => {
      if (error) return;
      const work = one(message).finally(() => atWork.delete(work));
      atWork.add(work);
    },
  });

  async function one(message: Msg): Promise<void> {
    const reply = await replyTo(message);
    try {
      respond(message, reply);
    } catch (error) {
      // An answer that is too large can still be refused in a few words.
      refuse(message, error);
    }
  }

  // This must not throw: an unhandled rejection would end the process for one answer.
  function refuse(message: Msg, error: unknown): void {
    try {
      respond(message, refusalOf(error));
    } catch (again) {
      context.logger.warn({ err: again, subject }, 'a question could not be answered, nor refused');
    }
  }

  function respond(message: Msg, reply: Reply): void {
    const body = JSON.stringify({ question: idOf(message), ...reply });
    if (message.reply) message.respond(body, { headers: sealOf(context, message.reply, body) });
  }

  async function replyTo(message: Msg): Promise<Reply> {
    try {
      if (isSealed(subject) && !sealHolds(context, subject, message.data, message.headers?.get(sealHeader))) {
        await alarm({
          kind: 'wrong_seal',
          about: causeId(subject, Buffer.from(message.data).toString('base64')),
          message: `A question under ${subject} does not carry our seal. It is not acted upon.`,
        });
        return { ok: false, code: 'FORBIDDEN', message: 'This question does not carry our seal.' };
      }
      const question = Question.parse(message.json());
      if (Math.abs(Date.now() - Date.parse(question.at)) > ageMaxMs) {
        return {
          ok: false,
          code: 'FORBIDDEN',
          message: 'This question is too old, or the clocks of two services differ by more than 10 s.',
        };
      }
      return { ok: true, data: await handle(schema.parse(question.data), question.id) };
    } catch (error) {
      return refusalOf(error);
    }
  }

  function refusalOf(error: unknown): Reply {
    if (error instanceof Refusal) {
      return { ok: false, code: error.code, message: error.message, details: error.details };
    }
    if (error instanceof StoreFull)
      return { ok: false, code: 'STORE_FULL', message: errorTable.STORE_FULL.message };
    if (error instanceof Unavailable) {
      return { ok: false, code: 'UNAVAILABLE', message: errorTable.UNAVAILABLE.message };
    }
    context.logger.error({ err: error, subject }, 'a question could not be answered');
    return { ok: false, code: 'INTERNAL', message: errorTable.INTERNAL.message };
  }

  resources.add(`answers ${subject}`, async () => {
    subscription.unsubscribe();
    await Promise.all(atWork);
  });
}

/** An answer travels in one message, and a broker takes messages up to its own limit only. */
const pageBytesMax = 2 ** 20;

/** As many of the items as one answer can carry, and at least one. Whoever asks goes on from the last of them. */
export function fitting<T>(items: T[]): T[] {
  let bytes = 0;
  const end = items.findIndex((item, i) => {
    bytes += Buffer.byteLength(JSON.stringify(item));
    return i > 0 && bytes > pageBytesMax;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** An answer names its question, so that it is worth nothing as the answer to another. */
function idOf(message: Msg): string {
  try {
    return Question.parse(message.json()).id;
  } catch {
    return '';
  }
}

function sealOf(context: BusContext, subject: string, body: string) {
  const h = headers();
  if (context.sealer) h.set(sealHeader, context.sealer.seal(subject, body));
  return h;
}
