import { goesWith } from '../settings.ts';
import type { Decide } from '../types.ts';
import type { Schema } from './forms.ts';

const counters = ['limit', 'budget'] as const;

/** Fields that would have no effect beside some decisions, and those beside which they have one. */
const belongsTo: Readonly<Record<string, readonly Decide[]>> = {
  approvers: ['require_approval'],
  ...goesWith,
  ...Object.fromEntries(counters.map((counter) => [counter, ['allow']])),
};

const foreignTo = (decide: Decide): string[] =>
  Object.keys(belongsTo).filter((field) => !belongsTo[field]?.includes(decide));

const deciding = (decide: Decide): Schema => ({
  properties: { decide: { const: decide } },
  required: ['decide'],
});

const without = (fields: readonly string[], errorMessage: string): Schema => ({
  properties: Object.fromEntries(fields.map((field) => [field, false])),
  errorMessage,
});

/** A counter that leaves it to people when its bound is reached. */
const asksBeyond = (counter: string): Schema => ({
  properties: {
    [counter]: { not: { type: 'object', properties: { else: { const: 'deny' } }, required: ['else'] } },
  },
  required: [counter],
});

/** Made of pairs: an object that is written out with a `then` is what promises are told by. */
const implies = (condition: Schema, consequence: Schema): Schema =>
  Object.fromEntries([
    ['if', condition],
    ['then', consequence],
  ]);

/** Which fields of a rule go together. */
export const ruleConditions: Schema = {
  dependencies: Object.fromEntries(counters.map((counter) => [counter, ['name']])),
  allOf: [
    implies(
      deciding('deny'),
      without(foreignTo('deny'), 'a rule that denies has none: nobody is asked, and nothing counted'),
    ),
    implies(
      deciding('require_approval'),
      without(foreignTo('require_approval'), 'only a rule that decides allow has it'),
    ),
    implies(
      { ...deciding('allow'), not: { anyOf: counters.map(asksBeyond) } },
      without(foreignTo('allow'), 'only a rule that decides require_approval has it'),
    ),
  ],
};
