import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventTypes } from './catalogue.ts';
import { makeEvent, parseEvent } from './envelope.ts';
import { actionIds, agentNames, sampleEvent, subjectOf, suffixesOf, types } from './test-events.ts';

const action = `act_${'0'.repeat(32)}`;
const otherAction = `act_${'1'.repeat(32)}`;

test('an event is read as it was written, for every type of the catalogue', () => {
  fc.assert(
    fc.property(
      types.chain((type) => fc.tuple(fc.constant(type), agentNames, actionIds, suffixesOf(type))),
      ([type, agent, id, suffix]) => {
        const event = sampleEvent(type, agent, id, typeof suffix === 'number' ? suffix : 1);
        const parsed = parseEvent(subjectOf(event, suffix), JSON.stringify(event));
        expect(parsed).toEqual({ ok: true, event });
      },
    ),
  );
});

test('an event is a CloudEvents 1.0 envelope, its subject is the action', () => {
  const now = new Date('2025-03-01T10:00:00Z');
  const data = {
    action_id: action,
    agent: 'support',
    decision_event: 'decision',
    status: 'success',
    late: false,
  } as const;
  expect(makeEvent('action.executed', { service: 'gateway', id: 'e1', now, data })).toEqual({
    specversion: '1.0',
    id: 'e1',
    source: 'placet/gateway',
    type: 'action.executed',
    subject: action,
    time: '2025-03-01T10:00:00.000Z',
    datacontenttype: 'application/json',
    data,
  });
});

describe('a body that does not say what its subject says is refused', () => {
  const suffixOf = (type: (typeof eventTypes)[number]) =>
    type === 'action.requested' || type === 'action.decided' || type === 'grant.revoked' ? undefined : 1;
  const aboutActions = eventTypes.filter((type) => type !== 'alarm.raised' && type !== 'message.dead');

  test.each(aboutActions)('%s: another action', (type) => {
    const here = subjectOf(sampleEvent(type, 'support', action), suffixOf(type));
    const body = JSON.stringify(sampleEvent(type, 'support', otherAction));
    expect(parseEvent(here, body)).toMatchObject({ ok: false, code: 'wrong_subject' });
  });

  test.each(aboutActions)('%s: another agent', (type) => {
    const here = subjectOf(sampleEvent(type, 'support', action), suffixOf(type));
    const body = JSON.stringify(sampleEvent(type, 'other', action));
    expect(parseEvent(here, body)).toMatchObject({ ok: false, code: 'wrong_subject' });
  });

  test.each(eventTypes)('%s: another type', (type) => {
    const [other = type] = eventTypes.filter((t) => t !== type);
    const here = subjectOf(sampleEvent(type, 'support', action), suffixOf(type));
    const body = JSON.stringify(sampleEvent(other, 'support', action));
    expect(parseEvent(here, body)).toMatchObject({ ok: false, code: 'wrong_subject' });
  });

  test('another number: a vote put under a second number counts once', () => {
    const body = JSON.stringify(sampleEvent('approval.voted', 'support', action, 1));
    const subject = (n: string) => `placet.act.support.${action}.approval.voted.${n}`;
    expect(parseEvent(subject('1'), body)).toMatchObject({ ok: true });
    for (const n of ['2', '01', '1e0', 'x'])
      expect(parseEvent(subject(n), body)).toMatchObject({ ok: false, code: 'wrong_subject' });
  });

  test('another revision of the payload', () => {
    const body = JSON.stringify(sampleEvent('approval.needed', 'support', action, 1));
    expect(parseEvent(`placet.act.support.${action}.approval.needed.2`, body)).toMatchObject({ ok: false });
  });
});

describe('what is not an event of Placet is refused, and said why', () => {
  const event = sampleEvent('action.requested', 'support', action);
  const subject = subjectOf(event, undefined);

  test.each([
    ['no JSON', '{"a":', /not JSON/],
    ['nothing', '', /not JSON/],
    ['JSON that is no object', '[]', /envelope/],
    ['null', 'null', /envelope/],
  ])('%s', (_what, body, problem) => {
    expect(parseEvent(subject, body)).toEqual({
      ok: false,
      code: 'not_an_event',
      problem: expect.stringMatching(problem),
    });
  });

  test.each([
    ['another version', { specversion: '0.3' }],
    ['no id', { id: '' }],
    ['an id without end', { id: 'x'.repeat(201) }],
    ['a time that is none', { time: 'yesterday' }],
    ['another content type', { datacontenttype: 'text/plain' }],
  ])('an envelope with %s', (_what, wrong) => {
    expect(parseEvent(subject, JSON.stringify({ ...event, ...wrong }))).toEqual({
      ok: false,
      code: 'not_an_event',
      problem: expect.stringMatching(/envelope/),
    });
  });

  test('a type that is not in the catalogue', () => {
    const body = JSON.stringify({ ...event, type: 'action.invented' });
    expect(parseEvent(subject, body)).toMatchObject({ ok: false, code: 'not_an_event' });
    expect(parseEvent(subject.replace('requested', 'invented'), body)).toMatchObject({ ok: false });
  });

  test('data that its type does not have', () => {
    const body = JSON.stringify({ ...event, data: { ...event.data, payload_digest: 'md5:1' } });
    expect(parseEvent(subject, body)).toEqual({
      ok: false,
      code: 'not_an_event',
      problem: expect.stringMatching(/^action\.requested: .*/),
    });
  });

  test('any text at all: it never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        expect(parseEvent(subject, body).ok).toBe(false);
      }),
    );
  });
});
