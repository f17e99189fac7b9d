import { isScalar } from 'yaml';
import type { Field } from './fields.ts';
import { includesMax, rulesMax } from './limits.ts';
import { nearest } from './nearest.ts';
import { formatProblems, quote } from './problems.ts';
import { readItems } from './readers.ts';
import type { Parsed, Rule } from './types.ts';
import type { Source } from './yaml.ts';

type Included = { names: string[]; rules: Rule[] };

type Shared = {
  sets: ReadonlyMap<string, string>;
  parse: (text: string) => Parsed;
  /** How a set gets there. */
  whereFrom: (name: string) => string;
};

/** The rules of the sets that a policy includes, as if they stood before its own. */
export const readIncludes = (
  source: Source,
  field: Field | undefined,
  { sets, parse, whereFrom }: Shared,
): Included => {
  const included: Included = { names: [], rules: [] };
  for (const [position, item] of readItems(source, field, 'include', { max: includesMax }).entries()) {
    const path = `${field?.path}[${position}]`;
    const node = source.resolve(item, path);
    if (!node) continue;
    const name = isScalar(node) ? node.value : undefined;
    const problem = (message: string) => source.problem(node, path, `include: ${message}`);
    if (typeof name !== 'string') {
      problem(`expected the name of a set, found ${source.describe(node)}`);
      continue;
    }
    const text = sets.get(name);
    if (text === undefined) {
      const like = nearest(name, [...sets.keys()]);
      const hint = like ? `did you mean ${quote(like)}?` : whereFrom(name);
      problem(`there is no set ${quote(name)}: ${hint}`);
      continue;
    }
    if (included.names.includes(name)) {
      problem(`${quote(name)} is included twice`);
      continue;
    }
    const parsed = parse(text);
    included.names.push(name);
    if (parsed.ok) included.rules.push(...parsed.policy.rules.map((rule) => ({ ...rule, set: name })));
    else problem(`the set ${quote(name)} cannot be used: ${formatProblems(parsed.problems)}`);
    // It is refused for that; what else it includes need not be read.
    if (included.rules.length > rulesMax) break;
  }
  return included;
};
