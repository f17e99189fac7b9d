import { isScalar } from 'yaml';
import type { Field } from './fields.ts';
import { remindMax } from './limits.ts';
import { quote } from './problems.ts';
import { readListOf } from './readers.ts';
import type { Node, Source } from './yaml.ts';

/** A share of the time that people have, in whole per cent. */
export const shareForm = /^[1-9][0-9]?%$/;

/** When people are reminded, as shares of the time that they have; ascending. */
export const readRemind = (source: Source, field: Field | undefined): number[] =>
  readListOf(source, field, 'remind', {
    min: 1,
    max: remindMax,
    noun: 'shares',
    example: '[50%, 90%]',
    read: (item, path) => readPerCent(source, item, path),
    keyOf: (perCent) => `${perCent}%`,
  })
    .toSorted((a, b) => a - b)
    .map((perCent) => perCent / 100);

const readPerCent = (source: Source, item: Node, path: string): number | undefined => {
  const node = source.resolve(item, path);
  if (!node) return undefined;
  const written = isScalar(node) ? node.value : undefined;
  if (typeof written === 'string' && shareForm.test(written)) return Number.parseInt(written, 10);
  const hint =
    typeof written === 'number' && shareForm.test(`${written}%`) ? `: write ${quote(`${written}%`)}` : '';
  source.problem(
    node,
    path,
    `remind: expected a share from "1%" to "99%", as 50%, found ${source.describe(node)}${hint}`,
  );
  return undefined;
};
