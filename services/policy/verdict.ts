import type { EventData, EventOf } from '@placet/events';
import type { Verdict } from '@placet/policy';
import type { Signer } from '@placet/proof';
import { type DecisionFacts, decidedEvent } from '@placet/runtime';
import { type Edit, neededAgain, neededEvent, referencesOf, type Timing } from './needed.ts';

export type VerdictEvent = EventOf<'action.decided'> | EventOf<'approval.needed'>;

/** What the service says of a request: its decision, or that people are needed. */
export function verdictEvent(
  request: EventOf<'action.requested'>,
  verdict: Verdict,
  by: Timing & { signer: Signer },
): VerdictEvent {
  const { action_id, agent, action_name, payload_digest } = request.data;
  const facts = {
    reason: verdict.reason,
    rule: verdict.rule,
    scope: verdict.scope,
    policies: referencesOf(verdict),
    deciders: ['policy'],
    held: false,
  };
  const action = {
    action_id,
    agent,
    action_name,
    payload_digest,
    request_event: request.id,
    case: request.data.case,
  };
  switch (verdict.decide) {
    case 'allow': {
      const validForMs = verdict.settings.validForMs ?? by.config.automaticValidForMs;
      const allowed = { ...facts, decision: 'allowed', cause: 'policy', validForMs } as const;
      return decidedEvent('policy', by.signer, action, allowed, by.now);
    }
    case 'deny':
      return decidedEvent(
        'policy',
        by.signer,
        action,
        { ...facts, decision: 'denied', cause: 'policy' },
        by.now,
      );
    case 'require_approval':
      return neededEvent(request, verdict, by);
    default:
      return verdict.decide satisfies never;
  }
}

/** What the service says of a payload that people have changed: never that it is allowed, which they have to say. */
export function verdictOnEdit(
  request: EventOf<'action.requested'>,
  verdict: Verdict,
  edit: Edit,
  by: Timing & { signer: Signer },
): VerdictEvent {
  // What it would allow is asked of those who were asked before, and the agent's own are among them.
  if (verdict.decide === 'allow') return neededAgain(request, verdict, edit, by);
  if (verdict.decide === 'require_approval') {
    return neededAgain(request, withAsked(verdict, request.data), edit, by);
  }
  const { editor, payload_digest, revision } = edit.edited.data;
  const action = { ...request.data, payload_digest, request_event: request.id };
  const facts = {
    decision: 'denied',
    cause: 'policy',
    reason: `The policy denies what ${editor.email} changed it to: ${verdict.reason}`,
    rule: verdict.rule,
    scope: verdict.scope,
    policies: referencesOf(verdict),
    deciders: ['policy'],
    held: true,
    revision,
  } satisfies DecisionFacts;
  return decidedEvent('policy', by.signer, action, facts, by.now);
}

/**
 * Those whom the agent names are asked as well, also where nobody else would be: that can only make it stricter. A
 * question is for people, whatever the policy would allow, and no time that passes answers it.
 */
export function withAsked(
  verdict: Verdict,
  { approvers = [], answer_schema }: EventData<'action.requested'>,
): Verdict {
  const isQuestion = answer_schema !== undefined;
  if ((approvers.length === 0 && !isQuestion) || verdict.decide === 'deny') return verdict;
  const named = { scope: null, rule: null, approvers, quorum: 1, separate: false, by_agent: true as const };
  if (verdict.decide === 'require_approval') {
    const demands = approvers.length > 0 ? [...verdict.demands, named] : verdict.demands;
    const settings = isQuestion ? { ...verdict.settings, onTimeout: 'deny' as const } : verdict.settings;
    return { ...verdict, demands, settings };
  }
  const reason = `${verdict.reason}; the agent asks for people all the same`;
  return {
    ...verdict,
    decide: 'require_approval',
    reason,
    demands: [named],
    uses: [],
    settings: { ...verdict.settings, onTimeout: 'deny' },
  };
}
