import { audienceNow, audienceOf, type Demand, entryOf, type PlacetEvent, standingOf } from '@placet/events';
import { digestOf, type Jwks } from '@placet/proof';
import {
  causeId,
  confirmedHistory,
  findHistory,
  type History,
  proofProblem,
  Refusal,
  readHistories,
  readHistoryFromLeader,
  type ServiceParts,
} from '@placet/runtime';
import { isBlocked } from './execute.ts';
import { type ActionRecord, keptNotes, type OutcomeStore } from './store.ts';
import { decidedIn, neededIn } from './views.ts';

export type Records = ReturnType<typeof createRecords>;

/**
 * What is known of actions. The store says which there are, and the stream what they are: in the store whoever has its
 * password can write anything. What is decided stays listed when the stream has let go of it; what is not decided is
 * in the stream.
 */
export function createRecords({ context, alarm }: ServiceParts, store: OutcomeStore, trusted: () => Jwks) {
  async function current(stored: ActionRecord[]): Promise<(ActionRecord | null)[]> {
    const histories = await readHistories(context, stored);
    return Promise.all(stored.map((record, n) => currentOf(record, histories[n])));
  }

  async function currentOf(stored: ActionRecord, near: History | undefined): Promise<ActionRecord | null> {
    const { actionId, agent } = stored;
    if (near && isHeld(near)) return withHistory(stored, near);
    const history = await readHistoryFromLeader(context, agent, actionId);
    return isHeld(history) ? withHistory(stored, history) : proven(stored);
  }

  /** Of what is in the store alone only that is believed which a proof bears out: the decision, and its payload. */
  async function proven(stored: ActionRecord | null): Promise<ActionRecord | null> {
    const problem = stored && storeProblem(stored, trusted());
    if (!stored || problem === 'undecided') return null;
    if (problem === null) return withoutHiddenPayload(stored);
    await alarm({
      kind: 'proof_rejected',
      about: causeId('outcome', stored.agent, stored.actionId),
      message: `What is stored of ${stored.actionId} is not shown: ${problem}`,
      details: { agent: stored.agent, action_id: stored.actionId },
    });
    return null;
  }

  /** The stream is ahead of the store; what it no longer holds, the store does. */
  async function of(actionId: string): Promise<ActionRecord | null> {
    const found = await findHistory(context, actionId);
    // Notes stay longer than what they are about.
    const stored = found && isWhole(found.history) ? null : await proven(await store.get(actionId));
    return stored ?? (found && withHistory({ actionId, agent: found.agent }, found.history));
  }

  async function confirmed(actionId: string): Promise<ActionRecord | null> {
    const record = await of(actionId);
    if (!record || decidedIn(record)) return record;
    const history = await confirmedHistory(context, record.agent, actionId);
    return history ? withHistory(record, history, commentsOf(record)) : record;
  }

  async function agentOf(actionId: string): Promise<string> {
    const record = await of(actionId);
    if (!record) throw new Refusal('NOT_FOUND', { message: 'There is no approval with this id.' });
    return record.agent;
  }

  /** What was only logged permits nothing, so that nothing has to bear it out. */
  async function oldRecord(record: ActionRecord): Promise<ActionRecord | null> {
    return record.events.every(({ event }) => event.type === 'action.logged') ? record : proven(record);
  }

  /** As the stream holds them, with all that is kept beside; older ones only as far as a proof bears them out. */
  async function whole(stored: ActionRecord[]): Promise<(ActionRecord | null)[]> {
    const histories = await readHistories(context, stored, keptNotes);
    return Promise.all(
      stored.map((record, n) => {
        const history = histories[n];
        return history && isWhole(history) ? withHistory(record, history) : oldRecord(record);
      }),
    );
  }

  return { current, confirmed, whole, agentOf };
}

type Known = Pick<ActionRecord, 'actionId' | 'agent'>;

function withHistory(
  { actionId, agent }: Known,
  history: History,
  comments: ActionRecord['events'] = [],
): ActionRecord {
  return { actionId, agent, events: [...history.events, ...comments], blocked: isBlocked(history) };
}

const commentsOf = ({ events }: ActionRecord) =>
  events.filter(({ event }) => event.type === 'approval.commented');

/** Whether it tells of more than what stands beside an action. */
function isWhole({ events }: History): boolean {
  return events.some(({ event }) => entryOf(event.type).root === 'act' || event.type === 'action.logged');
}

function isHeld({ events }: History): boolean {
  return events.some(({ event }) => event.type === 'approval.needed');
}

function storeProblem(record: ActionRecord, trusted: Jwks): string | null {
  const decided = decidedIn(record);
  if (!decided) return 'undecided';
  const { action_id, agent, payload_digest } = decided.data;
  if (action_id !== record.actionId || agent !== record.agent) return 'its decision is of another action';
  const needed = neededIn(record);
  // Of a payload of which parts are hidden, the digest is that of the whole.
  if (needed && !needed.data.redacted && digestOf(needed.data.payload) !== payload_digest)
    return 'its payload is not the one that was decided';
  return proofProblem(decided, trusted);
}

/** What no digest bears out is not told: who can write the store could have put anything beside what is hidden. */
function withoutHiddenPayload(record: ActionRecord): ActionRecord {
  if (!neededIn(record)?.data.redacted) return record;
  const events = record.events.map(({ seq, event }) => ({ seq, event: withoutPayload(event) }));
  return { ...record, events };
}

function withoutPayload(event: PlacetEvent): PlacetEvent {
  if (event.type !== 'approval.needed') return event;
  return {
    ...event,
    data: { ...event.data, payload: '[redacted]', redacted: ['payload'], redacted_except: {} },
  };
}

/** Whether it waits for somebody who is asked under these keys. */
export function isWaitingFor(record: ActionRecord, audience: string[] | null): boolean {
  if (audience === null) return true;
  const standing = standingOf(record.events.map(({ event }) => event));
  return standing !== null && audienceNow(standing).some((key) => audience.includes(key));
}

/** Whether somebody who is asked under these keys has ever been asked about it. */
export function isFor(record: ActionRecord, audience: string[] | null): boolean {
  if (audience === null) return true;
  return record.events.some(({ event }) => askedBy(event).some((key) => audience.includes(key)));
}

/** The same of those whom the policy asks, escalates to or approvers hand it to: an agent opens no case by naming them. */
export function isOfPolicyFor(record: ActionRecord, audience: string[] | null): boolean {
  if (audience === null) return true;
  return record.events.some(({ event }) =>
    audienceOf(demandsIn(event)).some((key) => audience.includes(key)),
  );
}

function demandsIn(event: PlacetEvent): Pick<Demand, 'approvers'>[] {
  switch (event.type) {
    case 'approval.needed':
      return event.data.demands.filter(({ by_agent }) => !by_agent);
    case 'approval.escalated':
    case 'approval.reassigned':
      return [{ approvers: event.data.approvers }];
    default:
      return [];
  }
}

function askedBy(event: PlacetEvent): string[] {
  switch (event.type) {
    case 'approval.needed':
      return audienceOf(event.data.demands);
    case 'approval.escalated':
    case 'approval.reassigned':
      return event.data.audience;
    default:
      return [];
  }
}
