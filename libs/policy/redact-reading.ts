import { nameForm } from '@placet/events';
import { isMap, isScalar } from 'yaml';
import { type Field, readFields } from './fields.ts';
import { hiddenGrammar } from './grammar.ts';
import { approversMax, redactMax } from './limits.ts';
import { readPath } from './paths.ts';
import { quote } from './problems.ts';
import { readListOf } from './readers.ts';
import type { RuleSettings } from './types.ts';
import type { Node, Source } from './yaml.ts';

type Hidden = { path: string; except?: string[] };
type Redaction = Required<Pick<RuleSettings, 'redact' | 'redactExcept'>>;

/** Parts of the payload that nobody is shown, and the roles that are shown some of them all the same. */
export const readRedact = (source: Source, field: Field | undefined): Redaction => {
  const redact: string[] = [];
  const redactExcept: Record<string, string[]> = {};
  const hidden = readListOf(source, field, 'redact', {
    min: 1,
    max: redactMax,
    noun: 'paths',
    example: '[payload.card_number]',
    read: (item, at) => {
      const one = readHidden(source, item, at);
      return one && { ...one, item, at };
    },
  });
  const shown = new Set(hidden.flatMap(({ path, except }) => (except ? [path] : [])));
  for (const { path, except, item, at } of hidden) {
    // Of two that say different things of one path nobody could tell which holds.
    if (shown.has(path) && redact.includes(path))
      source.problem(item, at, `redact: ${quote(path)} is listed twice, and one of them has an except`);
    redact.push(path);
    if (except) redactExcept[path] = except;
  }
  return { redact, redactExcept };
};

const readHidden = (source: Source, item: Node, at: string): Hidden | undefined => {
  const node = source.resolve(item, at);
  if (!node) return undefined;
  if (!isMap(node)) {
    const path = readPath(source, node, at, 'redact');
    return path === undefined ? undefined : { path };
  }
  const fields = readFields(source, node, hiddenGrammar, at);
  const field = fields.get('path');
  const path = field && readPath(source, field.value, field.path, 'path');
  const except = readListOf(source, fields.get('except'), 'except', {
    min: 1,
    max: approversMax,
    noun: 'roles',
    example: '["role:fraud"]',
    read: (one, where) => readRole(source, one, where),
    keyOf: (role) => `role:${role}`,
  });
  return path === undefined ? undefined : { path, except };
};

/** The name of a role. Only roles are known of everybody who looks. */
const readRole = (source: Source, item: Node, at: string): string | undefined => {
  const node = source.resolve(item, at);
  if (!node) return undefined;
  const text = isScalar(node) && typeof node.value === 'string' ? node.value : '';
  const role = text.startsWith('role:') ? text.slice('role:'.length) : '';
  if (nameForm.test(role)) return role;
  source.problem(node, at, `except: expected a role, as "role:fraud", found ${source.describe(node)}`);
  return undefined;
};
