import { type EventType, makeEvent, subjectFor } from '@placet/events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordOf, type StoredMessage } from './record.ts';

const now = new Date('2026-03-02T10:00:05.000Z');
const stored = new Date('2026-03-02T10:00:01.000Z');
const happened = new Date('2026-03-02T10:00:00.000Z');
const action = `act_${'0a'.repeat(16)}`;
const requested = {
  action_id: action,
  agent: 'support',
  action_name: 'refund.create',
  payload: { 'a.b': { $set: 1 }, amount: 12 },
  payload_digest: `sha256:${'ab'.repeat(32)}` as const,
  idempotency_key: null,
  owner: 'dana@example.com',
};

function message(type: EventType, data: object, suffix?: string): StoredMessage & { body: string } {
  const event = makeEvent(type, { service: 'gateway', id: 'e-1', now: happened, data: data as never });
  const subject = subjectFor(type, data, suffix);
  return { stream: 'PLACET', seq: 7, subject, body: JSON.stringify(event), time: stored };
}

describe('an event', () => {
  test('of an action becomes a record with what people look for, and its body untouched', () => {
    const request = message('action.requested', { ...requested, case: 'ticket-9' });
    const body = request.body.replace('"amount":12', '"amount": 9007199254740993');
    expect(recordOf({ ...request, body }, now)).toEqual({
      id: 'e-1',
      stream: 'PLACET',
      seq: 7,
      subject: `placet.act.support.${action}.action.requested`,
      type: 'action.requested',
      time: '2026-03-02T10:00:00.000Z',
      recordedAt: '2026-03-02T10:00:05.000Z',
      agent: 'support',
      action,
      case: 'ticket-9',
      body,
    });
  });

  test('beside an action names the action too', () => {
    const data = { action_id: action, agent: 'support', decision_event: 'd', status: 'success', late: false };
    const record = recordOf(message('action.executed', data, 'x1'), now);
    expect(record).toMatchObject({ agent: 'support', action, type: 'action.executed' });
  });

  test('under a subject that is not its own is unreadable, and found by what the subject names', () => {
    const data = { action_id: action, agent: 'support', decision_event: 'd', status: 'success', late: false };
    const { subject } = message('action.executed', data, 'x1');
    const record = recordOf({ ...message('action.requested', requested), subject }, now);
    expect(record).toMatchObject({ agent: 'support', action, type: 'unreadable' });
  });

  test('of no action has neither agent nor action', () => {
    const alarm = message('alarm.raised', { kind: 'wrong_seal', message: 'm', about: 'a' }, 'a1');
    expect(recordOf(alarm, now)).toMatchObject({
      id: 'e-1',
      type: 'alarm.raised',
      agent: null,
      action: null,
    });
  });

  test('is the same record from text and from bytes', () => {
    const request = message('action.requested', { ...requested, reasoning: 'Grüße 🙂' });
    const bytes = new TextEncoder().encode(request.body);
    expect(recordOf({ ...request, body: bytes }, now)).toEqual(recordOf(request, now));
  });
});

describe('what does not fit is kept as unreadable', () => {
  const request = message('action.requested', requested);
  const event = JSON.parse(request.body) as Record<string, unknown>;
  const changed = (part: object) => JSON.stringify({ ...event, ...part });
  test.each([
    ['no JSON', '{"id":'],
    ['nothing', ''],
    ['not an object', '[1]'],
    ['no id', changed({ id: undefined })],
    ['an id that is not text', changed({ id: 7 })],
    ['an id with the sign of the store', changed({ id: 'e-1#PLACET:9' })],
    ['an id that is not well-formed text', request.body.replace('e-1', '\\ud800')],
    ['another type than its subject', changed({ type: 'action.decided' })],
    ['another agent than its subject', changed({ data: { ...requested, agent: 'sales' } })],
    ['no time', changed({ time: 'yesterday' })],
    ['data that is not of its type', changed({ data: { agent: 'support' } })],
  ])('%s', (_, body) => {
    expect(recordOf({ ...request, body }, now)).toEqual({
      id: 'unreadable:PLACET:7',
      stream: 'PLACET',
      seq: 7,
      subject: request.subject,
      type: 'unreadable',
      time: '2026-03-02T10:00:01.000Z',
      recordedAt: '2026-03-02T10:00:05.000Z',
      agent: 'support',
      action,
      case: null,
      body,
    });
  });

  test('under a subject that no event has', () => {
    const record = recordOf({ ...request, subject: 'placet.act.support' }, now);
    expect(record).toMatchObject({
      type: 'unreadable',
      subject: 'placet.act.support',
      agent: null,
      action: null,
    });
  });

  test('bytes that are not UTF-8, in base64', () => {
    const record = recordOf({ ...request, body: Uint8Array.of(0x7b, 0xff, 0x00) }, now);
    expect(record).toMatchObject({ type: 'unreadable', body: 'base64:e/8A' });
  });

  test('a byte order mark, which stays', () => {
    expect(recordOf({ ...request, body: `\ufeff${request.body}` }, now)).toMatchObject({
      type: 'unreadable',
      body: `\ufeff${request.body}`,
    });
  });

  test('text that looks like the mark of base64, in base64', () => {
    const record = recordOf({ ...request, body: 'base64:e/8A' }, now);
    expect(record.body).toBe(`base64:${Buffer.from('base64:e/8A').toString('base64')}`);
  });
});

test('any bytes become one record, from which they can be read back', () => {
  const { subject } = message('action.requested', requested);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.oneof(fc.constant(subject), fc.string()),
      (bytes, place) => {
        const record = recordOf({ stream: 'PLACET', seq: 3, subject: place, body: bytes, time: stored }, now);
        const { body } = record;
        const back = body.startsWith('base64:') ? Buffer.from(body.slice(7), 'base64') : Buffer.from(body);
        expect(new Uint8Array(back)).toEqual(bytes);
        expect(record.id).not.toContain('#');
      },
    ),
  );
});

describe('a change of configuration', () => {
  const change = {
    stream: 'PLACET_CONFIG',
    seq: 4,
    subject: '$KV.placet-agents.support',
    body: '{"value":{"owner":"dana"},"by":"dana"}',
    time: stored,
  } as const;

  test('of an agent names the agent', () => {
    expect(recordOf(change, now)).toEqual({
      id: 'config:placet-agents:support:4',
      stream: 'PLACET_CONFIG',
      seq: 4,
      subject: '$KV.placet-agents.support',
      type: 'config.changed',
      time: '2026-03-02T10:00:01.000Z',
      recordedAt: '2026-03-02T10:00:05.000Z',
      agent: 'support',
      action: null,
      case: null,
      body: change.body,
    });
  });

  test('of a policy names no agent, and its key may have dots', () => {
    const record = recordOf({ ...change, subject: '$KV.placet-policies.agent.support' }, now);
    expect(record).toMatchObject({ id: 'config:placet-policies:agent.support:4', agent: null });
  });

  test('by deletion has an empty body', () => {
    expect(recordOf({ ...change, body: '' }, now)).toMatchObject({ type: 'config.changed', body: '' });
  });

  test('is one only in the stream of the configuration', () => {
    expect(recordOf({ ...change, stream: 'PLACET' }, now).type).toBe('unreadable');
  });

  test('under a key with the sign of the store is unreadable', () => {
    expect(recordOf({ ...change, subject: '$KV.placet-agents.a#b' }, now).id).toBe(
      'unreadable:PLACET_CONFIG:4',
    );
  });
});
