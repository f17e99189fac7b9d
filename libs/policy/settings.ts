import type { Field } from './fields.ts';
import { quorumMax, timeoutMs, validForMs } from './limits.ts';
import { oneOf } from './problems.ts';
import type { Decide, RuleSettings } from './types.ts';
import { readBoolean, readNumber, readSpan, readWord } from './values.ts';
import type { Source } from './yaml.ts';

type Fields = ReadonlyMap<string, Field>;

export const onTimeoutWords = ['deny', 'allow'] as const;
export const requireReasonWords = ['never', 'on_reject', 'always'] as const;

/** Which decisions a setting goes with. One that has no effect would say something that is not so. */
export const goesWith = {
  quorum: ['require_approval'],
  separate: ['require_approval'],
  timeout: ['require_approval'],
  on_timeout: ['require_approval'],
  require_reason: ['require_approval'],
  valid_for: ['require_approval', 'allow'],
} as const satisfies Record<string, readonly Decide[]>;

/** How a rule wants people to be asked, and how long its permission lasts. `decides` is all that it can decide. */
export const readSettings = (source: Source, fields: Fields, decides: readonly Decide[]): RuleSettings => {
  for (const [name, wanted] of Object.entries(goesWith) as [string, readonly Decide[]][]) {
    const field = fields.get(name);
    if (!field || decides.length === 0 || decides.some((one) => wanted.includes(one))) continue;
    source.problem(
      field.key,
      field.path,
      `${name}: only a rule that decides ${oneOf(wanted)} has it, this one decides ${oneOf(decides)}`,
    );
  }
  const quorum = readNumber(source, fields.get('quorum'), 'quorum', 1, quorumMax);
  const separate = readBoolean(source, fields.get('separate'), 'separate');
  const timeout = readSpan(source, fields.get('timeout'), 'timeout', timeoutMs);
  const onTimeout = readWord(source, fields.get('on_timeout'), 'on_timeout', onTimeoutWords);
  const allows = fields.get('on_timeout');
  if (allows && onTimeout === 'allow' && !fields.has('timeout'))
    source.problem(
      allows.key,
      allows.path,
      'on_timeout: what is allowed when nobody decides needs a timeout of its own',
    );
  const requireReason = readWord(source, fields.get('require_reason'), 'require_reason', requireReasonWords);
  const validFor = readSpan(source, fields.get('valid_for'), 'valid_for', validForMs);
  return {
    ...(quorum === undefined ? {} : { quorum }),
    ...(separate === undefined ? {} : { separate }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(onTimeout === undefined ? {} : { onTimeout }),
    ...(requireReason === undefined ? {} : { requireReason }),
    ...(validFor === undefined ? {} : { validForMs: validFor }),
  };
};
