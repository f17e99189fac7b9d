import type { Field } from './fields.ts';
import { editableMax } from './limits.ts';
import { overlap, readPath } from './paths.ts';
import { quote } from './problems.ts';
import { readListOf } from './readers.ts';
import type { Source } from './yaml.ts';

/** Parts of the payload that who is asked may change. `hidden` are those that the rule redacts. */
export const readEditable = (source: Source, field: Field | undefined, hidden: readonly string[]): string[] =>
  readListOf(source, field, 'editable', {
    min: 1,
    max: editableMax,
    noun: 'paths',
    example: '[payload.card_number]',
    read: (item, at) => {
      const path = readPath(source, item, at, 'editable');
      const under = path === undefined ? undefined : hidden.find((other) => overlap(path, other));
      if (path !== undefined && under !== undefined)
        source.problem(
          item,
          at,
          `editable: what is hidden cannot be changed, and ${quote(under)} is redacted by this rule`,
        );
      return path;
    },
  });
