import { eventually } from '@placet/testing';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { sharedPlacet } from '../support.ts';
import { asked, askingPolicy, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy });
let cast: Cast;
beforeAll(async () => {
  cast = await castOf(shared());
});

describe('choices', () => {
  test('are what people take instead of approving, and have to be the same', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'deploy', { accepts: ['choices'] });
    expect(await cast.mia.vote(id, { vote: 'approve' })).toMatchObject({
      status: 422,
      body: {
        error: 'CHOICE_REQUIRED',
        details: { choices: [{ name: 'blue' }, { name: 'green' }, { name: 'wait' }] },
      },
    });
    expect((await cast.mia.vote(id, { choice: 'blue' })).body).toMatchObject({
      choice: 'blue',
      decision: 'pending',
    });
    expect((await cast.max.vote(id, { choice: 'green' })).body.decision).toBe('pending');
    expect((await cast.max.vote(id, { choice: 'blue' })).body.decision).toBe('allowed');
    expect((await agent.answer(id)).body).toMatchObject({ decision: 'allowed', choice: 'blue' });
  });

  test('that mean a denial end it', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'deploy', { accepts: ['choices'] });
    expect((await cast.mia.vote(id, { choice: 'wait', comment: 'after lunch' })).body.decision).toBe(
      'denied',
    );
    expect((await agent.answer(id)).body).toMatchObject({
      decision: 'denied',
      choice: 'wait',
      reason: 'after lunch',
    });
  });

  test('that were not the same are not told as if they were', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'deploy.majority', { accepts: ['choices'] });
    await cast.mia.vote(id, { choice: 'stop' });
    await cast.max.vote(id, { choice: 'wait' });
    const { body } = await agent.answer(id);
    expect(body).toMatchObject({
      decision: 'denied',
      decided_by: ['person:mia@example.com', 'person:max@example.com'],
    });
    expect(body.choice).toBeUndefined();
  });

  test('are not told to a caller that did not say that it takes them', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'deploy');
    const waiting = agent.answer(id, '?wait=20');
    await cast.mia.vote(id, { choice: 'green' });
    await cast.max.vote(id, { choice: 'green' });
    const { body } = await waiting;
    expect(body).toMatchObject({ decision: 'allowed' });
    expect(body.choice).toBeUndefined();
  });

  test('there are none where the rule names none', async () => {
    const id = await asked(shared(), 'pay.two');
    expect(await cast.fay.vote(id, { choice: 'blue' })).toMatchObject({
      status: 422,
      body: { details: [{ path: 'choice' }] },
    });
  });
});

describe('a question', () => {
  const answer_schema = {
    type: 'object',
    properties: { airport: { type: 'string', enum: ['BER', 'HAM'] }, bags: { type: 'integer', minimum: 0 } },
    required: ['airport'],
    additionalProperties: false,
  };

  test('is answered by its schema, and the answer is the result, proven', async () => {
    const { agent, admin } = shared();
    const id = await asked(shared(), 'ask.airport', { answer_schema, payload: { flight: 'PA441' } });
    expect((await admin.get(`/v1/approvals/${id}`)).body.answer_schema).toEqual(answer_schema);
    for (const answer of [
      undefined,
      'BER',
      { airport: 'LHR' },
      { airport: 'BER', bags: -1 },
      { airport: 'BER', x: 1 },
    ]) {
      const reply = await cast.mia.vote(id, { vote: 'approve', answer });
      expect(reply).toMatchObject({ status: 422, body: { error: 'ANSWER_REQUIRED' } });
      expect(reply.body.details[0].path).toMatch(/^answer/);
    }
    const answer = { airport: 'BER', bags: 2 };
    expect((await cast.mia.vote(id, { vote: 'approve', answer })).body.decision).toBe('allowed');
    const { body } = await agent.answer(id);
    expect(body).toMatchObject({ decision: 'allowed', answer });
    expect(decodeJwt(body.proof)['answer_digest']).toMatch(/^sha256:/);
    expect((await admin.get(`/v1/approvals/${id}`)).body).toMatchObject({ answer });
  });

  test('is not answered by the time that passes, whatever the rule says', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'ask.silence', { answer_schema, accepts: ['choices'] });
    await eventually(async () =>
      expect((await agent.answer(id)).body).toMatchObject({ decision: 'denied', decided_by: ['timeout'] }),
    );
  });

  test.each([
    [
      'uri',
      'https://example.com/a?b=c',
      ['javascript:alert(1)', ' https://example.com', 'https://a\n.example.com'],
    ],
    ['date-time', '2026-11-22T04:00:00+01:00', ['2026-11-22', 'tomorrow']],
    ['date', '2026-11-22', ['2026-02-30', '22.11.2026']],
    ['email', 'ann@example.com', ['ann']],
  ])('that wants a %s takes one', async (format, right, wrong) => {
    const id = await asked(shared(), 'ask.format', { answer_schema: { type: 'string', format } });
    for (const answer of wrong) {
      const reply = await cast.mia.vote(id, { vote: 'approve', answer });
      expect(reply).toMatchObject({ status: 422, body: { error: 'ANSWER_REQUIRED' } });
    }
    expect((await cast.mia.vote(id, { vote: 'approve', answer: right })).body.decision).toBe('allowed');
  });

  test('can be rejected without an answer', async () => {
    const id = await asked(shared(), 'ask.airport', { answer_schema });
    expect(await cast.mia.vote(id, { vote: 'reject', answer: 1 })).toMatchObject({ status: 422 });
    expect((await cast.mia.vote(id, { vote: 'reject' })).body.decision).toBe('denied');
  });

  test.each([
    ['a pattern, which may take forever', { type: 'string', pattern: '(a+)+$' }],
    ['a reference', { $ref: 'https://example.com/schema' }],
    ['no type', {}],
    ['a name that all objects have', { type: 'object', properties: { constructor: { type: 'string' } } }],
    ['bounds that nothing fits', { type: 'integer', minimum: 2, maximum: 1 }],
    ['a name that is required and nowhere', { type: 'object', properties: {}, required: ['a'] }],
    [
      'too many levels',
      JSON.parse(`${'{"type":"array","items":'.repeat(9)}{"type":"string"}${'}'.repeat(9)}`),
    ],
  ])('whose schema has %s is refused', async (_, schema) => {
    const { agent } = shared();
    const reply = await agent.check({ action_name: 'ask.airport', answer_schema: schema });
    expect(reply).toMatchObject({ status: 422, body: { error: 'VALIDATION_ERROR' } });
    expect(reply.body.details[0].path).toMatch(/^answer_schema/);
  });
});
