import { type EventOf, makeEvent, type PlacetEvent } from '@placet/events';
import type { Signer } from '@placet/proof';
import { decidedEvent, newId } from '@placet/runtime';
import type { DecisionDraft, Draft } from './ending.ts';
import type { ActionState } from './state.ts';

export type OwnEvent = Extract<PlacetEvent, { type: Draft['type'] }>;

type By = { signer: Signer; now: Date };

/** What was ruled, as the event that is stored. */
export function eventOf(draft: Draft, state: ActionState, by: By): OwnEvent {
  if (draft.type === 'action.decided') return decisionOf(draft.draft, state, by);
  return makeEvent(draft.type, { service: 'decisions', id: newId(), now: by.now, data: draft.data });
}

function decisionOf(
  draft: DecisionDraft,
  state: ActionState,
  { signer, now }: By,
): EventOf<'action.decided'> {
  if (state.status === 'requested') {
    const about = { ...state.request.data, request_event: state.request.id };
    const facts = { ...draft, rule: null, scope: null, policies: [], held: false, validForMs: 0 };
    return decidedEvent('decisions', signer, about, facts, now);
  }
  if (state.status !== 'held')
    throw new Error(`a decision was drafted for an action that is ${state.status}`);
  const { data } = state.standing.needed;
  const { rule, scope, policies, revision, valid_for_ms: validForMs } = data;
  const facts = { ...draft, rule, scope, policies, revision, held: true, validForMs };
  return decidedEvent('decisions', signer, data, facts, now);
}
