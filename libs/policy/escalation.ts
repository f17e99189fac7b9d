import { isMap } from 'yaml';
import { readApproverList } from './approver-list.ts';
import { type Field, readFields } from './fields.ts';
import { stepGrammar } from './grammar.ts';
import { approversMax, escalateMax, timeoutMs } from './limits.ts';
import { readListOf } from './readers.ts';
import type { Escalation } from './types.ts';
import { readBoolean, readSpan } from './values.ts';
import type { Node, Source } from './yaml.ts';

/** Who is asked when nobody has decided for so long. `timeout` is what the rule says of it itself. */
export const readEscalate = (
  source: Source,
  field: Field | undefined,
  timeout: number | undefined,
): Escalation[] => {
  let latest = 0;
  return readListOf(source, field, 'escalate', {
    min: 1,
    max: escalateMax,
    noun: 'steps',
    example: '[{ after: 5m, to: ["role:oncall"] }]',
    read: (item, path) => {
      const step = readStep(source, item, path);
      if (!step) return undefined;
      const { after, ...escalation } = step;
      const { afterMs } = escalation;
      const problem = (message: string) => source.problem(after.value, after.path, `after: ${message}`);
      if (afterMs <= latest) problem('it does not come after the step before it');
      if (timeout !== undefined && afterMs >= timeout)
        problem(
          `it comes ${afterMs === timeout ? 'with' : 'after'} the timeout, when nobody is asked any more`,
        );
      latest = Math.max(latest, afterMs);
      return escalation;
    },
  });
};

const readStep = (source: Source, item: Node, path: string): (Escalation & { after: Field }) | undefined => {
  const node = source.resolve(item, path);
  if (!node) return undefined;
  if (!isMap(node)) {
    source.problem(node, path, `escalate: expected a step with after and to, found ${source.describe(node)}`);
    return undefined;
  }
  const fields = readFields(source, node, stepGrammar, path);
  const after = fields.get('after');
  const afterMs = readSpan(source, after, 'after', timeoutMs);
  const to = readApproverList(source, fields.get('to'), 'to', approversMax);
  const replace = readBoolean(source, fields.get('replace'), 'replace');
  if (!after || afterMs === undefined) return undefined;
  return { after, afterMs, to, ...(replace && { replace }) };
};
