import { describe, expect, test } from 'vitest';
import { AnswerSchema, answerProblems } from './answer-schema.ts';

const parsed = (schema: unknown) => AnswerSchema.parse(schema);
const problems = (schema: unknown, answer: unknown) =>
  answerProblems(parsed(schema), answer).map(({ path, message }) => `${path}: ${message}`);

describe('an answer', () => {
  test.each([
    [{ type: 'string' }, 'a', 5],
    [{ type: 'string', minLength: 2, maxLength: 3 }, 'abc', 'a'],
    [{ type: 'string', enum: ['a', 'b'] }, 'b', 'c'],
    [{ type: 'string', format: 'date' }, '2026-02-28', '2026-02-30'],
    [{ type: 'string', format: 'email' }, 'a@example.com', 'a'],
    [{ type: 'string', format: 'uri' }, 'https://example.com', 'no address'],
    [{ type: 'number', minimum: 1, maximum: 2 }, 1.5, 2.5],
    [{ type: 'number', exclusiveMinimum: 1, exclusiveMaximum: 2 }, 1.5, 1],
    [{ type: 'number', exclusiveMaximum: 2 }, 1, 2],
    [{ type: 'integer' }, 3, 3.5],
    [{ type: 'integer', enum: [1, 2] }, 2, 3],
    [{ type: 'boolean' }, false, 'false'],
    [{ type: 'array', items: { type: 'string' } }, ['a'], [1]],
    [{ type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 2 }, ['a'], []],
    [{ type: 'array', items: { type: 'string' }, maxItems: 1 }, ['a'], ['a', 'b']],
    [{ type: 'object', properties: { a: { type: 'string' } } }, { b: 1 }, { a: 1 }],
    [{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, { a: 'x' }, {}],
    [{ type: 'object', properties: {}, additionalProperties: false }, {}, { b: 1 }],
    [{ type: 'object', properties: {} }, {}, []],
    [{ type: 'object', properties: {} }, {}, null],
  ])('by %j fits as %j, and not as %j', (schema, good, bad) => {
    expect(problems(schema, good)).toEqual([]);
    expect(problems(schema, bad)).not.toEqual([]);
  });

  test('that does not fit is told where and why', () => {
    const schema = {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'integer', enum: [1, 2] } } },
    };
    expect(problems(schema, { list: [1, 5] })).toEqual(['answer.list[1]: must be one of 1, 2']);
  });
});

const nested = (levels: number): unknown =>
  levels === 0 ? { type: 'string' } : { type: 'array', items: nested(levels - 1) };

describe('a schema', () => {
  test.each([
    ['a pattern', { type: 'string', pattern: 'a' }],
    ['a reference', { type: 'object', properties: { a: { $ref: '#' } } }],
    ['no type', { enum: ['a'] }],
    ['a type that is none', { type: 'thing' }],
    ['what is required and not there', { type: 'object', properties: {}, required: ['a'] }],
    ['the same further in', { type: 'array', items: { type: 'object', properties: {}, required: ['a'] } }],
    ['too many levels', nested(5)],
    ['far too many levels', nested(5000)],
    [
      'too many parts',
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`p${n}`, { type: 'string' }])),
      },
    ],
    [
      'too many characters',
      { type: 'string', enum: Array.from({ length: 100 }, (_, n) => `${n}`.repeat(100)) },
    ],
    ['no schema at all', null],
    ['bounds in the wrong order', { type: 'string', minLength: 5, maxLength: 1 }],
    ['options of another type', { type: 'string', enum: [1] }],
    [
      'a name that every object has',
      JSON.parse('{"type":"object","properties":{"constructor":{"type":"string"}}}'),
    ],
    [
      'the name of the prototype',
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'),
    ],
  ])('with %s is refused', (_, schema) => {
    expect(AnswerSchema.safeParse(schema).success).toBe(false);
  });

  test('of five levels is taken', () => {
    expect(AnswerSchema.safeParse(nested(4)).success).toBe(true);
  });
});
