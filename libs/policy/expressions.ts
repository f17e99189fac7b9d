import { isScalar } from 'yaml';
import {
  type Condition,
  compileCondition,
  compileExpression,
  type Expression,
  type Surroundings,
} from './cel/condition.ts';
import type { Field } from './fields.ts';
import type { Node, Source } from './yaml.ts';

/** Of a rule, when it matches. */
export const readCondition = (
  source: Source,
  field: Field | undefined,
  surroundings: Surroundings,
): Condition | undefined => {
  const written = readExpressionText(source, field, 'when', 'a condition');
  const compiled = written && compileCondition(written.text, surroundings);
  if (compiled?.ok) return compiled.condition;
  if (written) report(source, written, 'when', compiled?.misuses ?? []);
  return undefined;
};

/** Of a counter, what it counts by, or what it adds up. */
export const readExpression = (
  source: Source,
  field: Field | undefined,
  what: 'by' | 'sum',
  surroundings: Surroundings,
): Expression | undefined => {
  const written = readExpressionText(source, field, what, 'an expression');
  const compiled =
    written && compileExpression(written.text, what === 'sum' ? 'number' : 'key', surroundings);
  if (compiled?.ok) return compiled.expression;
  if (written) report(source, written, what, compiled?.misuses ?? []);
  return undefined;
};

type Written = { text: string; node: Exclude<Node, { source: string }>; path: string };

const readExpressionText = (
  source: Source,
  field: Field | undefined,
  what: string,
  noun: string,
): Written | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  if (isScalar(node) && typeof node.value === 'string') return { text: node.value, node, path: field.path };
  const hint = isScalar(node) && node.value !== null ? `: write it as a text, "${String(node.value)}"` : '';
  source.problem(node, field.path, `${what}: expected ${noun}, found ${source.describe(node)}${hint}`);
  return undefined;
};

/** Where YAML writes the text as it is, a problem is reported at its own place; elsewhere where the text begins. */
const report = (
  source: Source,
  { node, path }: Written,
  what: string,
  misuses: readonly { at: number; message: string }[],
): void => {
  for (const { at, message } of misuses)
    if (isScalar(node)) source.problemWithin(node, at, path, `${what}: ${message}`);
};
