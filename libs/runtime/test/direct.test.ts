import { headers, type Msg } from '@nats-io/transport-node';
import { eventually, releaseAfterEach, type TestBus } from '@placet/testing';
import { expect, test } from 'vitest';
import { sealHeader } from '../context.ts';
import { firstField, headerOf, headerText, lastField } from '../headers.ts';
import { readBatch } from '../read-stream.ts';
import { agent, commented, newAction, startBus } from './support.ts';

releaseAfterEach();

/** Puts a message on the stream whose sender wrote this header by hand. */
async function publishRaw({ context }: TestBus, subject: string, header: string): Promise<void> {
  const bytes = { encode: () => Buffer.from(header) } as never;
  await context.js.publish(subject, '{}', { headers: bytes });
}

const read = ({ context }: TestBus, seq = 1, batch = 100) => readBatch(context, 'PLACET', seq, batch);

test('a batch is what the stream holds from a sequence on, with what is still behind it', async () => {
  const b = await startBus();
  expect(await read(b)).toEqual({ messages: [], isMore: false });
  for (const id of ['c1', 'c2', 'c3']) await b.bus.note(commented(newAction(), id), id);

  const some = await read(b, 2, 1);
  expect(some.messages.map(({ seq, pending }) => ({ seq, pending }))).toEqual([{ seq: 2, pending: 1 }]);
  expect(some.isMore).toBe(true);

  const { messages, isMore } = await read(b);
  expect(isMore).toBe(false);
  for (const message of messages) {
    const stored = await b.context.jsm.streams.getMessage('PLACET', { seq: message.seq });
    expect(message.subject).toBe(stored?.subject);
    expect(message.time).toEqual(stored?.time);
    expect(message.seal).toBe(stored?.header.get(sealHeader));
    expect(Buffer.from(message.data)).toEqual(Buffer.from(stored?.data ?? []));
  }
  expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('what the broker writes into a header is believed, not what a sender wrote under the same names', async () => {
  const b = await startBus();
  const subject = `placet.act.${agent}.${newAction()}.action.requested`;
  const fields = ['Nats-Sequence: 99', 'Nats-Subject: placet.sys.x', 'Nats-Num-Pending: 7'];
  await publishRaw(b, subject, `NATS/1.0\r\n${fields.join('\r\n')}\r\n\r\n`);
  const { messages, isMore } = await read(b);
  expect(messages).toEqual([expect.objectContaining({ seq: 1, subject, pending: 0 })]);
  expect(isMore).toBe(false);
});

test('what another stream answers in the place of ours is not taken for ours', async () => {
  const b = await startBus();
  for (let n = 0; n < 10; n++) await b.bus.note(commented(newAction(), `c${n}`), `c${n}`);
  await b.context.jsm.streams.add({
    name: 'EVIL',
    mirror: { name: 'PLACET', filter_subject: 'placet.*.*.*.*.*.c9' },
    mirror_direct: true,
    allow_direct: true,
  });
  await eventually(async () => {
    expect((await b.context.jsm.streams.info('EVIL')).state.messages).toBe(1);
  });
  // Either of the two answers: ours whole, or nobody's.
  const asked = await Promise.allSettled(Array.from({ length: 60 }, () => read(b)));
  for (const one of asked) {
    if (one.status === 'fulfilled') expect(one.value.messages).toHaveLength(10);
    else expect(one.reason.message).toBe('the stream EVIL answered for PLACET');
  }
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set(['fulfilled', 'rejected']));
});

test('a stream that nobody answers for is an error', async () => {
  const b = await startBus();
  await expect(readBatch(b.context, 'NONE', 1, 1)).rejects.toThrow('a stream answered 503');
});

test('a header is sent and received as the client would do it', async () => {
  const b = await startBus();
  const received: Msg[] = [];
  b.context.nc.subscribe('somewhere', { callback: (_error, message) => void received.push(message) });
  const fields = { [sealHeader]: 'k1.ab', 'Nats-Msg-Id': 'é 1', Absent: undefined };
  const theirs = headers();
  theirs.set(sealHeader, 'k1.ab');
  theirs.append(sealHeader, 'k2.cd');
  b.context.nc.publish('somewhere', 'x', { headers: headerOf(fields) });
  b.context.nc.publish('somewhere', 'x', { headers: theirs });
  b.context.nc.publish('somewhere', 'x');
  await b.context.nc.flush();
  const [ours, client, bare] = received as [Msg, Msg, Msg];

  expect([...(ours.headers ?? [])]).toEqual([
    [sealHeader, ['k1.ab']],
    ['Nats-Msg-Id', ['é 1']],
  ]);
  expect(firstField(headerText(ours), 'Nats-Msg-Id')).toBe('é 1');
  expect(firstField(headerText(client), sealHeader)).toBe('k1.ab');
  expect(lastField(headerText(client), sealHeader)).toBe('k2.cd');
  expect(firstField(headerText(client), 'Placet')).toBeUndefined();
  expect(headerText(bare)).toBe('');
  expect(() => headerOf({ a: 'b\r\nc: d' })).toThrow(TypeError);
});
