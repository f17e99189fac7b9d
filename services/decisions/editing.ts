import { audienceNow, type Change, eligibilityOf, isEligible, whyNot } from '@placet/events';
import { digestOf } from '@placet/proof';
import { beforehand, editsMax, tooLate } from './asking.ts';
import { append, ofAction, type Ruling, refuse } from './ending.ts';
import { changed, isWithin, overlaps, stepsOf } from './payload-changes.ts';
import type { ActionState, Command, Held } from './state.ts';

type Edit = Extract<Command, { kind: 'edit' }>;

/** As large as one that an agent can send. */
const payloadBytesMax = 256 * 1024;
/** Beside the payload it has to fit into one event. */
const changesCharsMax = 64 * 1024;
const changesMax = 50;
/** Of what stood there: the record has it in the payload before. */
const fromCharsMax = 2000;

/** A person changes what is asked. The policy judges it anew, and everybody votes on what it has become. */
export function edited(command: Edit, state: ActionState): Ruling {
  if (state.status === 'decided') return tooLate(command, state);
  const open = beforehand(command, state);
  return 'ruling' in open ? open.ruling : edit(command, open.held);
}

function edit({ question, request, now, sweepAfterMs }: Edit, { standing, numbers, payload }: Held): Ruling {
  const { voter, comment, channel } = question;
  const needed = standing.needed.data;
  const eligible_as = eligibilityOf(standing, voter);
  if (!isEligible(eligible_as)) return refuse('NOT_ELIGIBLE', whyNot(standing, voter) ?? undefined);
  if ((numbers['approval.edited'] ?? 0) >= editsMax) return refuse('TOO_MANY_STEPS');
  if (!needed.accepts?.includes('edits') || payload === undefined) return refuse('EDITS_NOT_ACCEPTED');
  const made = payloadWith(payload, question.changes, needed);
  if ('ruling' in made) return made;
  const { roles: _, ...editor } = voter;
  const type = 'approval.edited';
  const sweptMs = now.getTime() + sweepAfterMs;
  return append({
    type,
    data: {
      ...ofAction(standing, numbers, type),
      request,
      editor,
      eligible_as,
      channel,
      revision: needed.revision + 1,
      previous_digest: needed.payload_digest,
      payload: made.payload,
      payload_digest: made.digest,
      changes: made.changes,
      ...(comment === undefined ? {} : { comment }),
      audience: audienceNow(standing),
      due: new Date(Math.min(sweptMs, Date.parse(needed.deadline))).toISOString(),
    },
  });
}

type Made = { payload: unknown; digest: string; changes: Change[] };

/** The payload as it becomes, if the policy lets all of this be changed. */
function payloadWith(
  payload: unknown,
  wanted: Record<string, unknown>,
  { editable = [], redacted = [], payload_digest }: Held['standing']['needed']['data'],
): Made | Ruling {
  if (JSON.stringify(wanted).length > changesCharsMax) return refuse('BODY_TOO_LARGE');
  if (Object.keys(wanted).length > changesMax) {
    return refuse('VALIDATION_ERROR', undefined, [
      { path: 'changes', message: `must be at most ${changesMax}: change what they are in` },
    ]);
  }
  const problems: { path: string; message: string }[] = [];
  const changes: Change[] = [];
  let result = payload;
  for (const [path, to] of Object.entries(wanted)) {
    const problem =
      stepsOf(path) === null ? 'is no path into the payload' : hindrance(path, editable, redacted);
    const made = problem === null ? changed(result, path, to) : null;
    if (made === null) {
      problems.push({
        path,
        message: problem ?? 'has no place in this payload: what it stands in is not there',
      });
      continue;
    }
    if ('from' in made && kindOf(made.from) !== kindOf(to)) {
      problems.push({ path, message: `has to stay ${kindOf(made.from)}` });
      continue;
    }
    changes.push({ path, ...('from' in made ? { from: brief(made.from) } : {}), to });
    result = made.payload;
  }
  if (problems.length > 0) return refuse('NOT_EDITABLE', undefined, problems);
  const digest = digestOf(result);
  if (digest === payload_digest) {
    return refuse('VALIDATION_ERROR', 'This changes nothing: the payload is what it was.');
  }
  if (Buffer.byteLength(JSON.stringify(result)) > payloadBytesMax) return refuse('BODY_TOO_LARGE');
  return { payload: result, digest, changes };
}

function hindrance(path: string, editable: readonly string[], redacted: readonly string[]): string | null {
  if (redacted.some((hidden) => overlaps(path, hidden)))
    return 'is hidden from people, so they cannot change it';
  if (editable.some((allowed) => isWithin(path, allowed))) return null;
  return editable.length === 0
    ? 'cannot be changed: the rule names nothing that may be'
    : `cannot be changed: the rule lets people change ${editable.join(', ')}`;
}

/** What runs it expects what it has asked for. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** What stood there, unless it would fill the record. */
function brief(value: unknown): unknown {
  return JSON.stringify(value).length <= fromCharsMax ? value : '[too long to be repeated here]';
}
