import { isMap } from 'yaml';
import { type Field, readFields } from './fields.ts';
import { choiceGrammar } from './grammar.ts';
import { choiceCharsMax, choicesMax, choicesMin } from './limits.ts';
import { readListOf, readPattern } from './readers.ts';
import type { Choice } from './types.ts';
import { readWord } from './values.ts';
import type { Node, Source } from './yaml.ts';

export const meansWords = ['allow', 'deny'] as const;

/** What people choose among, instead of approving or rejecting. */
export const readChoices = (source: Source, field: Field | undefined): Choice[] => {
  const choices = readListOf(source, field, 'choices', {
    min: choicesMin,
    max: choicesMax,
    example: '[{ name: retry, means: allow }, { name: skip, means: deny }]',
    read: (item, path) => readChoice(source, item, path),
    keyOf: ({ name }) => name,
  });
  if (!field || choices.length < choicesMin) return choices;
  const problem = (message: string) => source.problem(field.value, field.path, `choices: ${message}`);
  const isThere = (word: Choice['means']) => choices.some(({ means }) => means === word);
  if (!isThere('allow')) problem('none of them means allow: people could not allow it');
  if (!isThere('deny')) problem('none of them means deny: people could not refuse it');
  return choices;
};

const readChoice = (source: Source, item: Node, path: string): Choice | undefined => {
  const node = source.resolve(item, path);
  if (!node) return undefined;
  if (!isMap(node)) {
    source.problem(
      node,
      path,
      `choices: expected a choice with name and means, found ${source.describe(node)}`,
    );
    return undefined;
  }
  const fields = readFields(source, node, choiceGrammar, path);
  // What people choose by must not look like another choice.
  const name = readPattern(source, fields.get('name'), 'name', choiceCharsMax);
  const means = readWord(source, fields.get('means'), 'means', meansWords);
  return name === undefined || means === undefined ? undefined : { name, means };
};
