import { approverText } from '@placet/events';
import { isScalar } from 'yaml';
import { approverForms, readApprover } from './approver.ts';
import type { Field } from './fields.ts';
import { readListOf } from './readers.ts';
import type { Approver } from './types.ts';
import type { Node, Source } from './yaml.ts';

/** Those whom a list names one by one, without groups. */
export const readApproverList = (
  source: Source,
  field: Field | undefined,
  what: string,
  max: number,
): Approver[] =>
  readListOf(source, field, what, {
    min: 1,
    max,
    noun: 'approvers',
    example: '["role:oncall"]',
    read: (item, path) => readListedApprover(source, item, path, what),
    keyOf: approverText,
  });

export const readListedApprover = (
  source: Source,
  item: Node,
  path: string,
  what: string,
  forms = approverForms,
): Approver | undefined => {
  const node = source.resolve(item, path);
  if (!node) return undefined;
  if (isScalar(node) && typeof node.value === 'string') {
    const approver = readApprover(node.value, forms);
    if (!('wrong' in approver)) return approver;
    source.problem(node, path, `${what}: ${approver.wrong}`);
    return undefined;
  }
  // What a bare # leaves behind: YAML takes the rest of the line for a comment.
  const hint = isScalar(node) && node.value === null ? ': a channel needs quotes, as "#approvals"' : '';
  source.problem(node, path, `${what}: expected ${forms}, found ${source.describe(node)}${hint}`);
  return undefined;
};
