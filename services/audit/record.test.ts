import { type EventType, makeEvent, subjectFor } from '@placet/events';
import { createSigner, generateSigningKey } from '@placet/proof';
import { decidedEvent } from '@placet/runtime';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordOf, type StoredMessage } from './record.ts';

const decisions = createSigner(generateSigningKey());
const trusted = { keys: [decisions.publicJwk] };
const recording = { now: new Date('2026-03-02T10:00:05.000Z'), trusted };
const seal = `k1.${'0a'.repeat(32)}`;
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
  return { stream: 'PLACET', seq: 7, subject, body: JSON.stringify(event), seal, time: stored };
}

describe('an event', () => {
  test('of an action becomes a record with what people look for, and its body untouched', () => {
    const request = message('action.requested', { ...requested, case: 'ticket-9' });
    const body = request.body.replace('"amount":12', '"amount": 9007199254740993');
    expect(recordOf({ ...request, body }, recording)).toEqual({
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
      seal,
      flaw: null,
    });
  });

  test('beside an action names the action too', () => {
    const data = { action_id: action, agent: 'support', decision_event: 'd', status: 'success', late: false };
    const record = recordOf(message('action.executed', data, 'x1'), recording);
    expect(record).toMatchObject({ agent: 'support', action, type: 'action.executed' });
  });

  test('under a subject that is not its own is unreadable, and found by what the subject names', () => {
    const data = { action_id: action, agent: 'support', decision_event: 'd', status: 'success', late: false };
    const { subject } = message('action.executed', data, 'x1');
    const record = recordOf({ ...message('action.requested', requested), subject }, recording);
    expect(record).toMatchObject({ agent: 'support', action, type: 'unreadable' });
  });

  test('of no action has neither agent nor action', () => {
    const alarm = message('alarm.raised', { kind: 'wrong_seal', message: 'm', about: 'a' }, 'a1');
    expect(recordOf(alarm, recording)).toMatchObject({
      id: 'e-1',
      type: 'alarm.raised',
      agent: null,
      action: null,
    });
  });

  test('is the same record from text and from bytes', () => {
    const request = message('action.requested', { ...requested, reasoning: 'Grüße 🙂' });
    const bytes = new TextEncoder().encode(request.body);
    expect(recordOf({ ...request, body: bytes }, recording)).toEqual(recordOf(request, recording));
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
    ['no time', changed({ time: 'yesterday' })],
    ['data that is not of its type', changed({ data: { agent: 'support' } })],
  ])('%s', (_, body) => {
    expect(recordOf({ ...request, body }, recording)).toEqual({
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
      seal,
      flaw: 'not_an_event',
    });
  });

  test('under a subject that no event has', () => {
    const record = recordOf({ ...request, subject: 'placet.act.support' }, recording);
    expect(record).toMatchObject({
      type: 'unreadable',
      subject: 'placet.act.support',
      agent: null,
      action: null,
    });
  });

  test('bytes that are not UTF-8, in base64', () => {
    const record = recordOf({ ...request, body: Uint8Array.of(0x7b, 0xff, 0x00) }, recording);
    expect(record).toMatchObject({ type: 'unreadable', body: 'base64:e/8A' });
  });

  test('a byte order mark, which stays', () => {
    expect(recordOf({ ...request, body: `\ufeff${request.body}` }, recording)).toMatchObject({
      type: 'unreadable',
      body: `\ufeff${request.body}`,
    });
  });

  test('text that looks like the mark of base64, in base64', () => {
    const record = recordOf({ ...request, body: 'base64:e/8A' }, recording);
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
        const record = recordOf(
          { stream: 'PLACET', seq: 3, subject: place, body: bytes, seal, time: stored },
          recording,
        );
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
    body: `{"value":{"owner":"dana"},"by":"dana","seal":"${seal}"}`,
    seal: null,
    time: stored,
  } as const;

  test('of an agent names the agent', () => {
    expect(recordOf(change, recording)).toEqual({
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
      seal: null,
      flaw: null,
    });
  });

  test('of a policy names no agent, and its key may have dots', () => {
    const record = recordOf({ ...change, subject: '$KV.placet-policies.agent.support' }, recording);
    expect(record).toMatchObject({ id: 'config:placet-policies:agent.support:4', agent: null });
  });

  test.each([
    ['by deletion', ''],
    ['without a seal', '{"value":{"owner":"dana"},"by":"dana"}'],
    ['with what is no seal', '{"value":{"owner":"dana"},"by":"dana","seal":"k1.0"}'],
  ])('%s is one with a flaw', (_, body) => {
    const record = recordOf({ ...change, body }, recording);
    expect(record).toMatchObject({ type: 'config.changed', body, flaw: 'no_seal' });
  });

  test('is one only in the stream of the configuration', () => {
    expect(recordOf({ ...change, stream: 'PLACET' }, recording).type).toBe('unreadable');
  });

  test('under a key with the sign of the store is unreadable', () => {
    expect(recordOf({ ...change, subject: '$KV.placet-agents.a#b' }, recording).id).toBe(
      'unreadable:PLACET_CONFIG:4',
    );
  });
});

describe('what is false is marked', () => {
  const request = message('action.requested', requested);

  test.each([
    ['type', { type: 'action.logged' }],
    ['agent', { data: { ...requested, agent: 'sales' } }],
    ['action', { data: { ...requested, action_id: `act_${'1'.repeat(32)}` } }],
  ])('an event of another %s than its subject', (_, part) => {
    const body = JSON.stringify({ ...JSON.parse(request.body), ...part });
    const record = recordOf({ ...request, body }, recording);
    expect(record).toMatchObject({ type: 'unreadable', agent: 'support', action, flaw: 'wrong_subject' });
  });

  test.each([
    ['no', null],
    ['an empty', ''],
    ['what is no', 'k1.0000'],
  ])('an event with %s seal, where its author has the key', (_, none) => {
    expect(recordOf({ ...request, seal: none }, recording)).toMatchObject({ flaw: 'no_seal', seal: none });
  });

  test.each([
    ['audit', null],
    ['notifier', null],
    ['gateway', 'no_seal'],
    ['decisions', 'no_seal'],
  ] as const)('an alarm of %s without a seal: %s', (service, flaw) => {
    const data = { kind: 'wrong_seal', message: 'm', about: 'a' } as const;
    const event = makeEvent('alarm.raised', { service, id: 'e-1', now: happened, data });
    const alarm = { ...message('alarm.raised', data, 'a1'), body: JSON.stringify(event), seal: null };
    expect(recordOf(alarm, recording).flaw).toBe(flaw);
  });
});

describe('a decision', () => {
  const facts = {
    reason: 'Sure.',
    rule: null,
    scope: null,
    policies: [],
    deciders: ['person:dana@example.com'],
  };
  const about = { ...requested, request_event: 'e-1' };
  const decidedBy = (signer = decisions, of = about) =>
    decidedEvent(
      'decisions',
      signer,
      of,
      { ...facts, held: true, decision: 'allowed', cause: 'votes', validForMs: 60_000 },
      happened,
    );
  const stored = (event: object) =>
    ({ ...message('action.decided', requested), body: JSON.stringify(event) }) as StoredMessage;
  const genuine = decidedBy();
  const flawOf = (event: object) => recordOf(stored(event), recording).flaw;

  test('with the proof of who decides has no flaw', () => {
    expect(flawOf(genuine)).toBeNull();
  });

  const data = genuine.data;
  test.each<[string, object]>([
    ['an invented proof', { data: { ...data, proof: 'a.b.c' } }],
    ['a proof by a key that nobody trusts', decidedBy(createSigner(generateSigningKey()))],
    [
      'the proof of another action',
      {
        data: {
          ...data,
          proof: decidedBy(decisions, { ...about, action_id: `act_${'1'.repeat(32)}` }).data.proof,
        },
      },
    ],
    ['another event of the same action', { id: 'e-2' }],
    ['another author', { source: 'placet/policy' }],
    ['another time', { time: '2026-03-02T10:00:02.000Z' }],
    ['another name of the action', { data: { ...data, action_name: 'refund.all' } }],
    ['another payload', { data: { ...data, payload_digest: `sha256:${'cd'.repeat(32)}` } }],
    ['another request', { data: { ...data, request_event: 'e-9' } }],
    ['other deciders', { data: { ...data, deciders: ['person:eve@example.com'] } }],
    ['a longer permission', { data: { ...data, valid_until: '2026-03-02T11:00:00.000Z' } }],
    [
      'another policy',
      { data: { ...data, policies: [{ scope: 'default', digest: requested.payload_digest, revision: 1 }] } },
    ],
    ['another answer', { data: { ...data, decision: 'denied', cause: 'votes' } }],
  ])('with %s has a wrong proof', (_, part) => {
    expect(flawOf({ ...genuine, ...part })).toBe('wrong_proof');
  });

  test('and no seal has a wrong proof first of all, and else no seal', () => {
    expect(recordOf({ ...stored(genuine), seal: null }, recording).flaw).toBe('no_seal');
    const forged = { ...genuine, data: { ...data, proof: 'a.b.c' } };
    expect(recordOf({ ...stored(forged), seal: null }, recording).flaw).toBe('wrong_proof');
  });

  test('told once more when an approval closes needs the same proof', () => {
    const { action_id, agent, action_name, decision, reason, deciders, proof } = data;
    const told = {
      action_id,
      agent,
      action_name,
      decision,
      reason,
      deciders,
      proof,
      decision_event: genuine.id,
    };
    const closed = (part: object) =>
      recordOf(message('approval.closed', { ...told, ...part }, 'c1'), recording);
    expect(closed({}).flaw).toBeNull();
    expect(closed({ decision: 'denied' }).flaw).toBe('wrong_proof');
    expect(closed({ decision_event: 'another' }).flaw).toBe('wrong_proof');
    expect(closed({ deciders: ['person:eve@example.com'] }).flaw).toBe('wrong_proof');
  });
});
