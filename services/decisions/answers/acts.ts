import {
  ActionQuestion,
  approverText,
  CancelQuestion,
  CommentQuestion,
  EditQuestion,
  eventStream,
  makeEvent,
  noteFilter,
  ReassignQuestion,
  requests,
  VoteQuestion,
} from '@placet/events';
import { answer, causeId, newId, Refusal, readDirect, type ServiceParts, sleep } from '@placet/runtime';
import type { DecisionsConfig } from '../config.ts';
import type { Execute } from '../execute.ts';
import { isFor, type Records } from '../records.ts';
import { createRoom } from '../room.ts';
import type { ActionState, Command } from '../state.ts';
import { neededIn } from '../views.ts';

/** So long whoever votes on a payload that was just changed is kept waiting for the policy's word on it. */
const judgedWithinMs = 3000;
const lookEveryMs = 100;
/** More than anybody reads. */
const commentsMax = 100;

type Acting = { records: Records; execute: Execute; config: DecisionsConfig };

/** What people, agents and administrators do with an approval. */
export function answerActs(parts: ServiceParts, { records, execute, config }: Acting): void {
  const { context, bus } = parts;
  const room = createRoom(context);

  /** On an approval that people name by its id alone. */
  async function act(action_id: string, command: Command): Promise<ActionState> {
    const agent = await records.agentOf(action_id);
    for (const until = Date.now() + judgedWithinMs; ; ) {
      try {
        return await execute(agent, action_id, command);
      } catch (error) {
        const isBeingJudged = error instanceof Refusal && error.code === 'BEING_JUDGED';
        // Only who names what was seen is told whether it is that still.
        const isPatient = 'question' in command && command.question.payload_digest !== undefined;
        if (!isBeingJudged || !isPatient || Date.now() > until) throw error;
        await sleep(lookEveryMs);
      }
    }
  }

  answer(parts, requests.vote, VoteQuestion, async (question, request) => {
    const { action_id, voter } = question;
    const state = await act(action_id, { kind: 'vote', question, request, now: new Date() });
    const asked = 'done' in state ? state.done.get(request) : undefined;
    const votes = 'standing' in state ? (state.standing?.votes ?? []) : [];
    const last = votes.findLast(({ data }) => data.voter.id === voter.id);
    const cast = asked?.type === 'approval.voted' ? asked.data : last?.data;
    if (!cast && question.vote === undefined) throw new Refusal('ALREADY_DECIDED');
    const { vote, choice } = { ...question, ...cast };
    return { action_id, vote, ...(choice === undefined ? {} : { choice }), ...outcomeIn(state) };
  });

  answer(parts, requests.edit, EditQuestion, async (question, request) => {
    const { action_id } = question;
    const { sweepAfterMs } = config;
    await room.takeFor('edit');
    const state = await act(action_id, { kind: 'edit', question, request, now: new Date(), sweepAfterMs });
    const edit = 'done' in state ? state.done.get(request) : undefined;
    if (edit?.type !== 'approval.edited') throw new Refusal('UNAVAILABLE');
    const { revision, payload_digest } = edit.data;
    return { action_id, revision, payload_digest, ...outcomeIn(state) };
  });

  answer(parts, requests.reassign, ReassignQuestion, async (question, request) => {
    const { action_id, approvers } = question;
    await act(action_id, { kind: 'reassign', question, request, now: new Date() });
    return { action_id, approvers: approvers.map(approverText) };
  });

  answer(parts, requests.comment, CommentQuestion, async (question, request) => {
    const { action_id, by, audience, comment, channel } = question;
    await room.takeFor('comment');
    const record = await records.confirmed(action_id);
    const needed = record && isFor(record, audience) ? neededIn(record) : null;
    if (!needed)
      throw new Refusal('NOT_FOUND', { message: 'There is no approval with this id that concerns you.' });
    const { agent, case: ofCase } = needed.data;
    const known = await readDirect(context, eventStream, {
      multi_last: [noteFilter('approval.commented', agent, action_id)],
    });
    if (known.length >= commentsMax) throw new Refusal('TOO_MANY_STEPS');
    const data = {
      action_id,
      agent,
      by,
      comment,
      channel,
      ...(ofCase === undefined ? {} : { case: ofCase }),
    };
    const event = makeEvent('approval.commented', {
      service: 'decisions',
      id: newId(),
      now: new Date(),
      data,
    });
    await bus.note(event, causeId(request));
    return { action_id, commented_at: event.time };
  });

  answer(parts, requests.withdraw, ActionQuestion, async ({ agent, action_id }) => {
    const state: ActionState = await execute(agent, action_id, { kind: 'withdraw' });
    if (state.status === 'decided') return state.decided;
    throw new Refusal('UNAVAILABLE');
  });

  answer(parts, requests.cancel, CancelQuestion, async ({ action_id, by, reason }) => {
    const state = await act(action_id, { kind: 'cancel', by, reason });
    if (state.status !== 'decided') throw new Refusal('UNAVAILABLE');
    return { action_id, decision: 'denied', reason: state.decided.data.reason };
  });
}

function outcomeIn(state: ActionState): { decision: 'pending' | 'allowed' | 'denied'; reason?: string } {
  if (state.status !== 'decided') return { decision: 'pending' };
  const { decision, reason } = state.decided.data;
  return { decision, reason };
}
