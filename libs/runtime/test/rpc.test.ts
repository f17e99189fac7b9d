import { headers } from '@nats-io/transport-node';
import { requests } from '@placet/events';
import {
  eventually,
  releaseAfterEach,
  startTestBus,
  startTestNats,
  type TestBus,
  testSealer,
} from '@placet/testing';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { newId } from '../bus.ts';
import { sealHeader } from '../context.ts';
import { Refusal, StoreFull, Unavailable } from '../errors.ts';
import { answer, ask } from '../rpc.ts';
import { sealOf, startTwo } from './support.ts';

releaseAfterEach();

const subject = requests.vote;
const Question = z.object({ n: z.number() });
const Answer = z.object({ twice: z.number() });
const hour = 3_600_000;

/** Answers with twice the number, and says what it was asked. */
async function answering(
  b: TestBus,
  handle: (n: number) => Promise<unknown> = async (n) => ({ twice: 2 * n }),
) {
  const asked: number[] = [];
  answer(b, subject, Question, async ({ n }) => {
    asked.push(n);
    return handle(n);
  });
  await b.context.nc.flush();
  return asked;
}

const alarmsOf = async ({ context }: TestBus) =>
  (await context.metrics.registry.getSingleMetricAsString('placet_alarms_total'))
    .split('\n')
    .filter((line) => line.startsWith('placet_alarms_total{'));

test('a question is answered, and its answer is of the form that was asked for', async () => {
  const [one, other] = await startTwo();
  const asked = await answering(other);
  expect(await ask(one.context, subject, { n: 21 }, Answer)).toEqual({ twice: 42 });
  expect(asked).toEqual([21]);
  await expect(ask(one.context, subject, { n: 21 }, z.object({ thrice: z.number() }))).rejects.toThrow();
});

test('instances of a service share the questions: each is answered once', async () => {
  const server = await startTestNats();
  const sealer = testSealer();
  const one = await startTestBus(server, { service: 'gateway', sealer });
  const instances = await Promise.all(
    [1, 2].map(async () => answering(await startTestBus(server, { service: 'decisions', sealer }))),
  );
  await Promise.all(Array.from({ length: 20 }, (_, n) => ask(one.context, subject, { n }, Answer)));
  expect(instances.flat()).toHaveLength(20);
});

describe('what the other service could not do is told as it is', () => {
  test('a refusal, with its code, words and details', async () => {
    const [one, other] = await startTwo();
    const details = { decision: 'denied', decided_by: ['dana'] };
    await answering(other, async () => {
      throw new Refusal('ALREADY_DECIDED', { message: 'Decided by dana.', details });
    });
    const refusal = await ask(one.context, subject, { n: 1 }, Answer).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ code: 'ALREADY_DECIDED', message: 'Decided by dana.', details });
  });

  test.each([
    ['a full stream', new StoreFull('hunter2'), 'STORE_FULL'],
    ['a store that is away', new Unavailable('hunter2'), 'UNAVAILABLE'],
    ['its own fault, without its words', new Error('hunter2'), 'INTERNAL'],
  ])('%s', async (_what, error, code) => {
    const [one, other] = await startTwo();
    await answering(other, async () => {
      throw error;
    });
    const refusal = await ask(one.context, subject, { n: 1 }, Answer).catch((e: unknown) => e);
    expect(refusal).toMatchObject({ code });
    expect((refusal as Error).message).not.toContain('hunter2');
  });

  test('a question of another form', async () => {
    const [one, other] = await startTwo();
    const asked = await answering(other);
    await expect(ask(one.context, subject, { n: 'x' }, Answer)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(asked).toEqual([]);
  });

  test('an answer larger than a message can be', async () => {
    const [one, other] = await startTwo();
    await answering(other, async () => ({ twice: 1, text: 'x'.repeat(3 * 2 ** 20) }));
    await expect(ask(one.context, subject, { n: 1 }, Answer)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('Fail closed: a question that does not carry our seal, or is old, reaches no handler', () => {
  const ageOf = (ms: number) => new Date(Date.now() - ms).toISOString();
  const bodyOf = (at: string) => JSON.stringify({ id: newId(), at, data: { n: 1 } });

  async function put(b: TestBus, body: string, seal?: string) {
    const h = headers();
    if (seal !== undefined) h.set(sealHeader, seal);
    return (await b.context.nc.request(subject, body, { headers: h, timeout: 5000 })).json<object>();
  }

  test.each<[string, (b: TestBus, body: string) => string | undefined]>([
    ['without a seal', () => undefined],
    ['sealed by another key of the same name', (_, body) => testSealer().seal(subject, body)],
    ['sealed for another subject', ({ context }, body) => sealOf(context.sealer, requests.withdraw, body)],
    ['changed after it was sealed', ({ context }, body) => sealOf(context.sealer, subject, `${body} `)],
  ])('%s: refused, and counted as an alarm', async (_how, sealFor) => {
    const [one, other] = await startTwo();
    const asked = await answering(other);
    const body = bodyOf(ageOf(0));
    expect(await put(one, body, sealFor(one, body))).toMatchObject({ ok: false, code: 'FORBIDDEN' });
    expect(asked).toEqual([]);
    expect(await alarmsOf(other)).toEqual(['placet_alarms_total{kind="wrong_seal"} 1']);
  });

  test.each([
    ['asked again after ten seconds', ageOf(11_000)],
    ['of the future', ageOf(-120_000)],
    ['of no time', 'now'],
  ])('%s: refused', async (_how, at) => {
    const [one, other] = await startTwo();
    const asked = await answering(other);
    const body = bodyOf(at);
    expect(await put(one, body, sealOf(one.context.sealer, subject, body))).toMatchObject({ ok: false });
    expect(asked).toEqual([]);
  });

  test('while the same one, asked in time, is answered', async () => {
    const [one, other] = await startTwo();
    const asked = await answering(other);
    const body = bodyOf(ageOf(5_000));
    expect(await put(one, body, sealOf(one.context.sealer, subject, body))).toMatchObject({ ok: true });
    expect(asked).toEqual([1]);
  });
});

test('an answer that is not to be believed does not end the wait for the one that is', async () => {
  const [one, other] = await startTwo();
  one.context.nc.subscribe(subject, {
    callback: (_error, message) => {
      // As a stream over the subject of the question would.
      message.respond(JSON.stringify({ stream: 'EVIL', seq: 1 }));
      message.respond('no JSON');
    },
  });
  await answering(other);
  expect(await ask(one.context, subject, { n: 4 }, Answer)).toEqual({ twice: 8 });
});

describe('Fail closed: an answer that is not to be believed is UNAVAILABLE', () => {
  const good = JSON.stringify({ ok: true, data: { twice: 2 } });

  test.each<[string, (b: TestBus, reply: string) => string | undefined]>([
    ['without a seal', () => undefined],
    ['sealed by another key of the same name', (_, reply) => testSealer().seal(reply, good)],
    ['that was given to another question', ({ context }) => sealOf(context.sealer, '_INBOX_gateway.x', good)],
    ['changed after it was sealed', ({ context }, reply) => sealOf(context.sealer, reply, `${good} `)],
  ])('one %s', async (_how, sealFor) => {
    const [one, other] = await startTwo();
    other.context.nc.subscribe(subject, {
      callback: (_error, message) => {
        const h = headers();
        const seal = sealFor(other, message.reply ?? '');
        if (seal !== undefined) h.set(sealHeader, seal);
        message.respond(good, { headers: h });
      },
    });
    await other.context.nc.flush();
    await expect(ask(one.context, subject, { n: 1 }, Answer, 300)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('dropped'),
    });
  });

  test('none at all: nobody is there, and that is known at once', async () => {
    const [one] = await startTwo();
    await expect(ask(one.context, subject, { n: 1 }, Answer, hour)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryAfterS: 1,
    });
  });

  test('none in time', async () => {
    const [one, other] = await startTwo();
    await answering(other, () => new Promise(() => {}));
    await expect(ask(one.context, subject, { n: 1 }, Answer, 50)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    other.resources.close(1);
  });
});

test('the audit service, which holds no key, answers what needs no seal', async () => {
  const server = await startTestNats();
  const one = await startTestBus(server, { service: 'gateway' });
  const audit = await startTestBus(server, { service: 'audit', sealer: null });
  answer(audit, requests.records, Question, async ({ n }) => ({ twice: 2 * n }));
  await audit.context.nc.flush();
  expect(await ask(one.context, requests.records, { n: 2 }, Answer)).toEqual({ twice: 4 });
});

test('closing waits for the answers at work, and takes no more questions', async () => {
  const [one, other] = await startTwo();
  const gate = Promise.withResolvers<unknown>();
  const asked = await answering(other, () => gate.promise);
  const first = ask(one.context, subject, { n: 1 }, Answer);
  await eventually(() => expect(asked).toEqual([1]));
  const closing = other.resources.close();
  // Once it is gone the broker says at once that nobody is there.
  await eventually(async () => {
    await expect(ask(one.context, subject, { n: 2 }, Answer, 50)).rejects.toMatchObject({
      cause: expect.objectContaining({ message: expect.stringMatching(/no responders/i) }),
    });
  });
  gate.resolve({ twice: 2 });
  expect(await first).toEqual({ twice: 2 });
  await closing;
  expect(asked.filter((n) => n === 1)).toHaveLength(1);
});
