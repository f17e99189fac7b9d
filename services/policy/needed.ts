import {
  type Demand,
  type EventData,
  type EventOf,
  escalatedDemands,
  makeEvent,
  type PolicyReference,
  type Step,
  type Voter,
} from '@placet/events';
import { redact, type Verdict } from '@placet/policy';
import { defined, newId } from '@placet/runtime';
import type { PolicyConfig } from './config.ts';

type Needed = EventData<'approval.needed'>;
type Request = EventOf<'action.requested'>;

export type Timing = { config: PolicyConfig; longestMs: number; now: Date };

/** What people are asked about a request, where the policy holds it. */
export function neededEvent(
  request: Request,
  verdict: Verdict,
  { config, longestMs, now }: Timing,
): EventOf<'approval.needed'> {
  const { settings } = verdict;
  const validForMs = settings.validForMs ?? config.peopleValidForMs;
  const wantedMs = settings.timeoutMs ?? config.approvalTimeoutMs;
  const waitMs = Math.min(
    wantedMs,
    // What an agent names can only make the wait shorter.
    request.data.timeout_ms ?? Number.POSITIVE_INFINITY,
    Math.max(1000, longestMs - validForMs),
  );
  const deadline = new Date(now.getTime() + waitMs);
  return needed(now, {
    ...told(request),
    ...shown(request.data.payload, verdict),
    ...judged(verdict),
    payload_digest: request.data.payload_digest,
    revision: 1,
    demands: verdict.demands.map(demandOf),
    ...asked(verdict, request),
    deadline: deadline.toISOString(),
    // Whoever shortens the time of people must not be allowed by that.
    on_timeout:
      waitMs < wantedMs || isOfAgentsMaking(verdict, request) ? 'deny' : (settings.onTimeout ?? 'deny'),
    ...given({ steps: stepsOf(verdict, now, deadline) }),
    valid_for_ms: validForMs,
  });
}

/** By naming in whose name it asks, an agent could keep the very person away who would have said no. */
function isOfAgentsMaking({ demands }: Verdict, { data }: Request): boolean {
  return data.on_behalf_of !== undefined && demands.some(({ separate }) => separate);
}

/** A change that people made, and what they were asked before it. */
export type Edit = {
  edited: EventOf<'approval.edited'>;
  earlier: EventOf<'approval.needed'>;
  /** Whom that asked in the end. */
  demands: Demand[];
  /** Since when people are asked. */
  since: Date;
};

/**
 * What people are asked about a payload that one of them has changed: what the policy wants of that one. Where it
 * would have allowed it, those who were asked before are asked still: whoever may propose a change does not decide by
 * that alone. The time that there is stays as it was.
 */
export function neededAgain(
  request: Request,
  verdict: Verdict,
  { edited, earlier, demands, since }: Edit,
  { now }: Timing,
): EventOf<'approval.needed'> {
  const before = earlier.data;
  const isHeld = verdict.decide === 'require_approval';
  const wantedMs = verdict.settings.timeoutMs ?? Number.POSITIVE_INFINITY;
  const deadline = new Date(Math.min(Date.parse(before.deadline), now.getTime() + wantedMs));
  const hidden = [...new Set([...(before.redacted ?? []), ...verdict.redact])];
  const steps = stepsOf(verdict, since, deadline);
  const isPast = (step: Step) => Date.parse(step.at) <= now.getTime();
  const asks = isHeld
    ? {
        demands: steps.filter(isPast).reduce(afterStep, verdict.demands.map(demandOf)),
        ...asked(verdict, request),
        ...given({ steps: steps.filter((step) => !isPast(step)) }),
      }
    : {
        ...askedBefore(before),
        demands,
        ...given({ steps: (before.steps ?? []).filter((step) => !isPast(step)) }),
      };
  const { editor, payload, payload_digest, revision } = edited.data;
  return needed(now, {
    ...told(request),
    ...shown(payload, { ...verdict, redact: hidden }),
    ...(isHeld
      ? judged(verdict)
      : { ...judged(verdict), reason: before.reason, rule: before.rule, scope: before.scope }),
    payload_digest,
    revision,
    ...asks,
    edited_by: [...(before.edited_by ?? []).filter(({ id }) => id !== editor.id), editor] satisfies Voter[],
    deadline: deadline.toISOString(),
    // Nobody has had the whole time to look at what it is now.
    on_timeout: 'deny',
    valid_for_ms: Math.min(before.valid_for_ms, verdict.settings.validForMs ?? before.valid_for_ms),
  });
}

function needed(now: Date, data: Needed): EventOf<'approval.needed'> {
  return makeEvent('approval.needed', { service: 'policy', id: newId(), now, data });
}

/** What the agent told, as far as people are told it. */
function told(request: Request) {
  const {
    idempotency_key: _k,
    policy: _p,
    timeout_ms: _t,
    approvers: _a,
    callback: _c,
    ...rest
  } = request.data;
  return { ...rest, request_event: request.id, requested_at: request.time };
}

function shown(payload: unknown, { redact: paths, redactExcept }: Pick<Verdict, 'redact' | 'redactExcept'>) {
  const except = Object.fromEntries(Object.entries(redactExcept).filter(([path]) => paths.includes(path)));
  return {
    payload: redact(payload, paths),
    ...(paths.length > 0 ? { redacted: paths } : {}),
    ...(Object.keys(except).length > 0 ? { redacted_except: except } : {}),
  };
}

function judged(verdict: Verdict) {
  const { reason, rule, scope } = verdict;
  return { reason, rule, scope, policies: referencesOf(verdict) };
}

/** Each text that had a part in it, and of each layer what it alone would have decided. */
export function referencesOf({ layers }: Verdict): PolicyReference[] {
  return layers.flatMap(({ included = [], ...layer }) => [layer, ...included]);
}

function demandOf({ separate, escalate: _, ...demand }: Verdict['demands'][number]): Demand {
  return { ...demand, ...(separate ? { separate } : {}) };
}

type Asked = Pick<Needed, 'require_reason' | 'editable' | 'choices' | 'inform' | 'only_in' | 'severity'>;

function asked({ settings }: Verdict, request: Request): Asked {
  const { requireReason, editable, choices, inform, onlyIn, severity } = settings;
  const { owner } = request.data;
  // An agent that nobody has taken yet has an owner in name only.
  const told = inform?.flatMap((who) => {
    if (who !== 'owner') return [who];
    return owner.includes('@') ? [{ kind: 'user' as const, email: owner.toLowerCase() }] : [];
  });
  return given({
    require_reason: requireReason,
    editable,
    choices,
    inform: told,
    only_in: onlyIn,
    severity,
  });
}

function askedBefore({ require_reason, editable, choices, inform, only_in, severity }: Needed) {
  return given({ require_reason, editable, choices, inform, only_in, severity });
}

/** Whoever was asked beside or instead by now is asked at once: that has happened, and happens no second time. */
function afterStep(demands: Demand[], step: Step): Demand[] {
  return step.kind === 'escalate' ? escalatedDemands(demands, step) : demands;
}

function stepsOf({ demands, settings }: Verdict, since: Date, deadline: Date): Step[] {
  const [from, until] = [since.getTime(), deadline.getTime()];
  const at = (ms: number) => new Date(Math.round(ms)).toISOString();
  const reminders = (settings.remind ?? []).map((share): Step => {
    return { kind: 'remind', at: at(from + share * (until - from)), share };
  });
  const escalations = demands.flatMap(({ escalate = [] }, demand) =>
    escalate.map(({ afterMs, to, replace }): Step => {
      return {
        kind: 'escalate',
        at: at(from + afterMs),
        demand,
        approvers: to,
        ...(replace ? { replace } : {}),
      };
    }),
  );
  return [...reminders, ...escalations]
    .filter((step) => Date.parse(step.at) < until)
    .toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

/** Without what there is not, and lists of nothing. */
function given<T extends object>(fields: T) {
  const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;
  const filled = Object.entries(fields).map(([name, value]) => [name, isEmpty(value) ? undefined : value]);
  return defined(Object.fromEntries(filled) as T);
}
