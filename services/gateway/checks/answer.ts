import {
  approvalsOf,
  askedNow,
  askedOf,
  type EventOf,
  peopleWanted,
  type Standing,
  standingOf,
  standingVotes,
} from '@placet/events';
import { eventIn, type History } from '@placet/runtime';
import * as z from 'zod';

const Policies = z.array(
  z.object({
    scope: z.string(),
    digest: z.string().nullable(),
    revision: z.number(),
    decide: z.string().optional().describe('What this layer alone would have decided.'),
    rule: z
      .string()
      .nullable()
      .optional()
      .describe('The rule of it that matched; null: its default, or none.'),
  }),
);

/** What an agent is told of its action. */
export const Answer = z
  .object({
    decision: z.enum(['allowed', 'denied', 'pending', 'expired']),
    action_id: z.string(),
    reason: z.string(),
    rule: z.string().nullable().optional(),
    scope: z
      .string()
      .nullable()
      .optional()
      .describe('The policy that decided; null: none covers the action.'),
    policies: Policies.optional(),
    payload_digest: z.string().optional(),
    decided_at: z.string().optional(),
    decided_by: z.array(z.string()).optional(),
    valid_until: z.string().optional().describe('An allowed action has to run before this moment.'),
    proof: z
      .string()
      .optional()
      .describe('A JWS over action, decision, payload digest and expiry; see /.well-known/jwks.json.'),
    payload: z
      .unknown()
      .optional()
      .describe('What to run, where people have changed it: only for a caller that accepts edits.'),
    choice: z
      .string()
      .optional()
      .describe('Which of the choices people took; only for a caller that accepts choices.'),
    answer: z.unknown().optional().describe('What people answered, by the answer_schema of the request.'),
    approval: z
      .object({
        approvers: z.array(z.string()),
        deadline: z.string(),
        revision: z.number().describe('Of the payload: 1, and one more for each change by people.'),
        votes: z.number().describe('How many people have voted on it.'),
        demands: z
          .array(z.object({ approvers: z.array(z.string()), quorum: z.number(), met: z.number() }))
          .describe('How many people each layer of the policy wants, and how many of them have approved.'),
      })
      .optional()
      .describe('Who was asked, and until when, while people decide.'),
  })
  .meta({ id: 'Answer' });
export type Answer = z.infer<typeof Answer>;

/** Pure: what the history of an action says at a moment. Nothing that is not sure is ever "allowed". */
export function answerOf(actionId: string, history: History, now: Date): Answer {
  if (history.forged.length > 0) {
    return {
      decision: 'denied',
      action_id: actionId,
      reason: 'The history of this action holds an event that Placet did not write. An alarm was raised.',
    };
  }
  const decided = eventIn(history, 'action.decided');
  if (decided && !eventIn(history, 'action.requested')) return forgottenAnswer(decided);
  if (decided) {
    const executed = executionOf(decided, history);
    return decidedAnswer(decided, { executed, ...takenBy(decided, history) }, now);
  }
  const standing = standingOf(history.events.map(({ event }) => event));
  return standing ? heldAnswer(standing) : evaluatingAnswer(actionId);
}

/** What a caller is told beside yes and no, as far as it said that it can take it. */
function takenBy({ data }: EventOf<'action.decided'>, history: History): Pick<Answer, 'payload' | 'choice'> {
  const { accepts = [] } = eventIn(history, 'action.requested')?.data ?? {};
  const edited = history.events
    .map(({ event }) => event)
    .findLast(
      (event) => event.type === 'approval.edited' && event.data.payload_digest === data.payload_digest,
    );
  return {
    ...(edited?.type === 'approval.edited' && accepts.includes('edits')
      ? { payload: edited.data.payload }
      : {}),
    ...(data.choice !== undefined && accepts.includes('choices') ? { choice: data.choice } : {}),
  };
}

/** The stream keeps a request longer than any permission lasts: a decision without its request permits nothing. */
export function forgottenAnswer({ data, time }: EventOf<'action.decided'>): Answer {
  const { action_id, payload_digest, deciders } = data;
  const said = { action_id, payload_digest, decided_at: time, decided_by: deciders };
  if (data.decision === 'denied') return { decision: 'denied', ...said, reason: data.reason };
  return {
    decision: 'expired',
    ...said,
    reason: 'It was allowed, and the request has left the stream since.',
  };
}

/** The report that used this permission, not one of an earlier action under the same id. */
export function executionOf(
  decided: EventOf<'action.decided'>,
  { events }: Pick<History, 'events'>,
): EventOf<'action.executed'> | undefined {
  return events
    .map(({ event }) => event)
    .filter((event) => event.type === 'action.executed')
    .find(({ data }) => data.decision_event === decided.id);
}

type Beside = Pick<Answer, 'payload' | 'choice'> & { executed?: EventOf<'action.executed'> | undefined };

export function decidedAnswer(
  { data, time }: EventOf<'action.decided'>,
  { executed, payload, choice }: Beside,
  now: Date,
): Answer {
  const answer = {
    action_id: data.action_id,
    reason: data.reason,
    rule: data.rule,
    scope: data.scope,
    policies: data.policies,
    payload_digest: data.payload_digest,
    decided_at: time,
    decided_by: data.deciders,
    ...(choice === undefined ? {} : { choice }),
    ...(data.answer === undefined ? {} : { answer: data.answer }),
  };
  if (data.decision === 'denied') return { decision: 'denied', ...answer, proof: data.proof };
  const { valid_until } = data;
  if (executed) {
    return {
      decision: 'expired',
      ...answer,
      valid_until,
      reason: `It was allowed, and its execution was reported at ${executed.time}.`,
    };
  }
  if (Date.parse(valid_until) <= now.getTime()) {
    return {
      decision: 'expired',
      ...answer,
      valid_until,
      reason: `It was allowed until ${valid_until}, which has passed.`,
    };
  }
  const changed = payload === undefined ? {} : { payload };
  return { decision: 'allowed', ...answer, ...changed, valid_until, proof: data.proof };
}

export function heldAnswer(standing: Standing): Answer {
  const { needed, demands } = standing;
  const { data } = needed;
  const votes = standing.votes.map((vote) => vote.data);
  return {
    decision: 'pending',
    action_id: data.action_id,
    reason: data.reason,
    rule: data.rule,
    scope: data.scope,
    policies: data.policies,
    payload_digest: data.payload_digest,
    approval: {
      approvers: askedNow(standing),
      deadline: data.deadline,
      revision: data.revision,
      votes: standingVotes(votes).length,
      demands: demands.map((demand, position) => ({
        approvers: askedOf([demand]),
        quorum: peopleWanted(demand),
        met: approvalsOf(demand, votes, position),
      })),
    },
  };
}

function evaluatingAnswer(actionId: string): Answer {
  return {
    decision: 'pending',
    action_id: actionId,
    reason: 'The policy has not answered yet. Ask again: nothing is lost.',
  };
}
