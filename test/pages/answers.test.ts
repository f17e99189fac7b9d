import { expect, test } from 'vitest';
import { placetThatHolds } from './held.ts';
import { signedIn, textOf } from './visitor.ts';

const { shared, held, decisionOf } = placetThatHolds();

test('a question is answered by the fields that the agent asks for', async () => {
  const visitor = await signedIn(shared());
  const answer_schema = {
    type: 'object',
    properties: {
      seat: { type: 'string', title: 'Which seat' },
      window: { type: 'boolean' },
      class: { type: 'string', enum: ['first', 'second'] },
      bags: { type: 'integer' },
    },
    required: ['seat'],
  };
  const { id, page, digest } = await held('ask.seat', { answer_schema });
  expect(textOf(await visitor.get(page))).toContain('Which seat');
  const fields = { decide: 'approve', payload_digest: digest };
  const wrong = await visitor.send(`${page}/votes`, { ...fields, 'answer.seat': '', 'answer.bags': 'two' });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('value="two"');
  const right = {
    ...fields,
    'answer.seat': '12A',
    'answer.window': '1',
    'answer.class': '1',
    'answer.bags': '2',
  };
  expect(await visitor.send(`${page}/votes`, right)).toMatchObject({ status: 303 });
  expect(await decisionOf(id)).toMatchObject({
    decision: 'allowed',
    answer: { seat: '12A', window: false, class: 'second', bags: 2 },
  });
});

test('names that only look the same are two fields, and both answers arrive', async () => {
  const visitor = await signedIn(shared());
  const names = ['x\u200by', 'x\\u{200b}y', 'two words & "more"'];
  const answer_schema = {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: names,
  };
  const { id, page, digest } = await held('ask.names', { answer_schema });
  const { text } = await visitor.get(page);
  const fields = [...text.matchAll(/ name="(answer\.[^"]*)"/g)].map(([, name = '']) =>
    textOf({ text: name }),
  );
  expect(fields).toEqual(names.map((name) => `answer.${name}`));
  // What they are called is read as it is.
  expect(textOf({ text }).split('x\\u{200b}y')).toHaveLength(3);
  const answers = Object.fromEntries(fields.map((field, n) => [field, `answer ${n}`]));
  const vote = { decide: 'approve', payload_digest: digest, ...answers };
  expect(await visitor.send(`${page}/votes`, vote)).toMatchObject({ status: 303 });
  expect(await decisionOf(id)).toMatchObject({
    answer: Object.fromEntries(names.map((name, n) => [name, `answer ${n}`])),
  });
});

test('a question with choices is answered with the choice that means yes', async () => {
  const visitor = await signedIn(shared());
  const answer_schema = {
    type: 'object',
    properties: { memory_gb: { type: 'integer' } },
    required: ['memory_gb'],
  };
  const { id, page, digest } = await held('choose.memory', { accepts: ['choices'], answer_schema });
  const fields = { decide: 'choice:retry', 'answer.memory_gb': '16', payload_digest: digest };
  const wrong = await visitor.send(`${page}/votes`, { ...fields, 'answer.memory_gb': '3,5' });
  expect(textOf(wrong)).toContain('Your answer does not fit what the agent asks for.');
  expect(textOf(wrong)).toContain('memory_gb: ');
  expect(await visitor.send(`${page}/votes`, fields)).toMatchObject({ status: 303 });
  expect(await decisionOf(id)).toMatchObject({
    decision: 'allowed',
    choice: 'retry',
    answer: { memory_gb: 16 },
  });
  expect(textOf(await visitor.get(page))).toContain('"memory_gb": 16');
});

test('a list is written line by line, or ticked', async () => {
  const visitor = await signedIn(shared());
  const answer_schema = {
    type: 'object',
    properties: {
      amounts: { type: 'array', items: { type: 'integer' } },
      days: { type: 'array', items: { type: 'string', enum: ['mon', 'tue', 'wed'] } },
      notes: { type: 'array', items: { type: 'string' } },
    },
    required: ['amounts'],
  };
  const { id, page, digest } = await held('ask.lists', { answer_schema });
  const fields = { decide: 'approve', payload_digest: digest, 'item.0.answer.days': 'on' };
  for (const wrong of ['1\r\na', '9007199254740993']) {
    const refused = await visitor.send(`${page}/votes`, { ...fields, 'answer.amounts': wrong });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('name="item.0.answer.days" checked');
    expect(refused.text).not.toContain('name="item.1.answer.days" checked');
  }
  const right = { ...fields, 'answer.amounts': '1\r\n\r\n 2 \r\n', 'item.2.answer.days': 'on' };
  expect(await visitor.send(`${page}/votes`, right)).toMatchObject({ status: 303 });
  expect((await decisionOf(id)).answer).toEqual({ amounts: [1, 2], days: ['mon', 'wed'] });
});

test('only the part of an answer that no field can be made of is written as JSON', async () => {
  const visitor = await signedIn(shared());
  const people = { type: 'array', items: { type: 'object', properties: { age: { type: 'integer' } } } };
  const answer_schema = { type: 'object', properties: { people, note: { type: 'string' } } };
  const { id, page, digest } = await held('ask.people', { answer_schema });
  const fields = { decide: 'approve', payload_digest: digest, 'answer.note': 'all' };
  for (const wrong of ['[{', '[{"age": "x"}]', '[{"age": 9007199254740993}]']) {
    const refused = await visitor.send(`${page}/votes`, { ...fields, 'answer.people': wrong });
    expect(refused.status).toBe(422);
  }
  await visitor.send(`${page}/votes`, { ...fields, 'answer.people': '[{"age": 3}]' });
  expect((await decisionOf(id)).answer).toEqual({ people: [{ age: 3 }], note: 'all' });
});
