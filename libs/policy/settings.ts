import { severities } from '@placet/events';
import { readChoices } from './choices.ts';
import { readEditable } from './editable.ts';
import { readEscalate } from './escalation.ts';
import type { Field } from './fields.ts';
import { readInform } from './inform.ts';
import { quorumMax, timeoutMs, validForMs } from './limits.ts';
import { readOnlyIn } from './only-in.ts';
import { oneOf } from './problems.ts';
import { readRedact } from './redact-reading.ts';
import { readRemind } from './reminders.ts';
import type { Decide, RuleSettings } from './types.ts';
import { readBoolean, readNumber, readSpan, readWord } from './values.ts';
import type { Source } from './yaml.ts';

type Fields = ReadonlyMap<string, Field>;

export const rejectWords = ['any', 'majority'] as const;
export const onTimeoutWords = ['deny', 'allow'] as const;
export const requireReasonWords = ['never', 'on_reject', 'always'] as const;

/** Which decisions a setting goes with. One that has no effect would say something that is not so. */
export const goesWith = {
  quorum: ['require_approval'],
  separate: ['require_approval'],
  reject: ['require_approval'],
  timeout: ['require_approval'],
  on_timeout: ['require_approval'],
  remind: ['require_approval'],
  escalate: ['require_approval'],
  inform: ['require_approval'],
  editable: ['require_approval'],
  choices: ['require_approval'],
  require_reason: ['require_approval'],
  only_in: ['require_approval'],
  severity: ['require_approval'],
  valid_for: ['require_approval', 'allow'],
} as const satisfies Record<string, readonly Decide[]>;

/** How a rule wants people to be asked, and how long its permission lasts. `decides` is all that it can decide. */
export const readSettings = (source: Source, fields: Fields, decides: readonly Decide[]): RuleSettings => {
  refuseForeign(source, fields, decides);
  return { ...readVoting(source, fields), ...readTimes(source, fields), ...readShown(source, fields) };
};

const refuseForeign = (source: Source, fields: Fields, decides: readonly Decide[]): void => {
  for (const [name, wanted] of Object.entries<readonly Decide[]>(goesWith)) {
    const field = fields.get(name);
    if (!field || decides.length === 0 || decides.some((one) => wanted.includes(one))) continue;
    source.problem(
      field.key,
      field.path,
      `${name}: only a rule that decides ${oneOf(wanted)} has it, this one decides ${oneOf(decides)}`,
    );
  }
};

/** How people vote, and who hears of it. */
const readVoting = (source: Source, fields: Fields): RuleSettings => {
  const quorum = readNumber(source, fields.get('quorum'), 'quorum', 1, quorumMax);
  const separate = readBoolean(source, fields.get('separate'), 'separate');
  const reject = readWord(source, fields.get('reject'), 'reject', rejectWords);
  const inform = readInform(source, fields.get('inform'));
  const choices = readChoices(source, fields.get('choices'));
  const requireReason = readWord(source, fields.get('require_reason'), 'require_reason', requireReasonWords);
  const onlyIn = readOnlyIn(source, fields.get('only_in'));
  const severity = readWord(source, fields.get('severity'), 'severity', severities);
  return {
    ...(quorum === undefined ? {} : { quorum }),
    ...(separate === undefined ? {} : { separate }),
    ...(reject === 'majority' && { reject }),
    ...(inform.length > 0 && { inform }),
    ...(choices.length > 0 && { choices }),
    ...(requireReason === undefined ? {} : { requireReason }),
    ...(onlyIn.length > 0 && { onlyIn }),
    ...(severity === undefined ? {} : { severity }),
  };
};

/** How long it may take, and what happens meanwhile. */
const readTimes = (source: Source, fields: Fields): RuleSettings => {
  const timeout = readSpan(source, fields.get('timeout'), 'timeout', timeoutMs);
  const onTimeout = readWord(source, fields.get('on_timeout'), 'on_timeout', onTimeoutWords);
  const allows = fields.get('on_timeout');
  if (allows && onTimeout === 'allow' && !fields.has('timeout'))
    source.problem(
      allows.key,
      allows.path,
      'on_timeout: what is allowed when nobody decides needs a timeout of its own',
    );
  const remind = readRemind(source, fields.get('remind'));
  const escalate = readEscalate(source, fields.get('escalate'), timeout);
  const validFor = readSpan(source, fields.get('valid_for'), 'valid_for', validForMs);
  return {
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(onTimeout === undefined ? {} : { onTimeout }),
    ...(remind.length > 0 && { remind }),
    ...(escalate.length > 0 && { escalate }),
    ...(validFor === undefined ? {} : { validForMs: validFor }),
  };
};

/** What of the payload people see, and may change. */
const readShown = (source: Source, fields: Fields): RuleSettings => {
  const { redact, redactExcept } = readRedact(source, fields.get('redact'));
  const editable = readEditable(source, fields.get('editable'), redact);
  return {
    ...(redact.length > 0 && { redact }),
    ...(Object.keys(redactExcept).length > 0 && { redactExcept }),
    ...(editable.length > 0 && { editable }),
  };
};
