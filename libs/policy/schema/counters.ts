import { conditionCharsMax } from '../cel/bounds.ts';
import { elseWords } from '../counter-reading.ts';
import { budgetGrammar, limitGrammar } from '../grammar.ts';
import { countMax, perMs, sumMax } from '../limits.ts';
import { between, expression, mapOf, type Schema, span, word } from './forms.ts';

const per = span(`The length of a window, ${between(perMs)}. Those of "24h" begin at midnight UTC.`, perMs, {
  examples: ['1h', '24h'],
});

const by = expression('In CEL: for each value its own count. Absent: one for all.', conditionCharsMax, {
  examples: ['agent.id', 'payload.customer_id'],
});

const otherwise = word('What the rule decides when the bound is reached.', elseWords, {
  default: 'require_approval',
});

export const limitSchema: Schema = mapOf(
  limitGrammar,
  'How often the rule allows by itself within a time: { count: 10, per: 1h }. Beyond it, what "else" says.',
  {
    count: {
      description: 'How many actions.',
      type: 'integer',
      minimum: 1,
      maximum: countMax,
      examples: [10],
    },
    per,
    by,
    else: otherwise,
  },
);

export const budgetSchema: Schema = mapOf(
  budgetGrammar,
  'How much the rule allows by itself within a time: { sum: payload.amount, max: 500, per: 24h }. Beyond it, what "else" says.',
  {
    sum: expression('In CEL: a number of the request that is added up.', conditionCharsMax, {
      examples: ['payload.amount'],
    }),
    // That it has at most six decimals is left to the parser: binary fractions have no such multiples.
    max: {
      description: 'How much of it altogether; with up to six decimals.',
      type: 'number',
      exclusiveMinimum: 0,
      maximum: sumMax,
      examples: [500],
    },
    per,
    by,
    else: otherwise,
  },
);
