import { approverText } from '@placet/events';
import { isScalar } from 'yaml';
import { approverForms } from './approver.ts';
import { readListedApprover } from './approver-list.ts';
import type { Field } from './fields.ts';
import { informMax } from './limits.ts';
import { readListOf } from './readers.ts';
import type { Informed } from './types.ts';
import type { Node, Source } from './yaml.ts';

export const ownerWord = 'owner';

export const informedForms = `${ownerWord}, ${approverForms}`;

export const informedText = (one: Informed): string => (one === ownerWord ? one : approverText(one));

/** Who is told how it ended, beside those who were asked. */
export const readInform = (source: Source, field: Field | undefined): Informed[] =>
  readListOf(source, field, 'inform', {
    min: 1,
    max: informMax,
    noun: 'to tell',
    example: '[owner, "#approvals"]',
    read: (item, path) => readInformed(source, item, path),
    keyOf: informedText,
  });

const readInformed = (source: Source, item: Node, path: string): Informed | undefined => {
  const node = source.resolve(item, path);
  if (!node) return undefined;
  if (isScalar(node) && node.value === ownerWord) return ownerWord;
  return readListedApprover(source, node, path, 'inform', informedForms);
};
