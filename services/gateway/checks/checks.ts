import { type Agent, type EventData, type EventOf, makeEvent, opened, requests } from '@placet/events';
import { canonicalJson, digestOf, type Jwks } from '@placet/proof';
import {
  ask,
  type Bus,
  type BusContext,
  confirmedHistory,
  createForgedAlarms,
  defined,
  eventIn,
  type History,
  newId,
  type RaiseAlarm,
  Refusal,
  readHistory,
  readHistoryFromLeader,
  sleep,
  Unavailable,
} from '@placet/runtime';
import * as z from 'zod';
import type { GatewayConfig } from '../config.ts';
import { type Callbacks, createCallbacks } from '../webhooks/callbacks.ts';
import { type Answer, answerOf, decidedAnswer, executionOf, forgottenAnswer, heldAnswer } from './answer.ts';
import { storedOutcome } from './outcomes.ts';
import { actionIdFor, type CheckBody, refuseLarge, timeoutMs } from './request.ts';
import type { StreamRoom } from './stream-room.ts';
import type { Listener, Until, Waiting } from './waiting.ts';

/** How often a caller that waits reads the stream, beside being told live. */
const lookEveryMs = 5000;
const lastLookMs = 1000;

export type Checks = ReturnType<typeof createChecks>;
export type CheckParts = {
  context: BusContext;
  bus: Bus;
  alarm: RaiseAlarm;
  room: StreamRoom;
  waiting: Waiting;
  config: GatewayConfig;
  /** Whose proofs are believed. */
  trusted: () => Jwks;
};
export type Patience = { waitS: number; signal: AbortSignal };

export function createChecks(parts: CheckParts) {
  const { context, bus, alarm, room, waiting, config } = parts;
  const callbacks = createCallbacks(config);
  const tellForged = createForgedAlarms(alarm);

  /** As some node has it, which may be behind. */
  const anywhere = (agent: string, actionId: string) => readAnd(readHistory, agent, actionId);
  const atLeader = (agent: string, actionId: string) => readAnd(readHistoryFromLeader, agent, actionId);

  async function readAnd(read: typeof readHistory, agent: string, actionId: string): Promise<History> {
    const history = await read(context, agent, actionId);
    void tellForged(history.forged);
    return history;
  }

  async function submit(agent: Agent, body: CheckBody, patience: Patience): Promise<Answer> {
    const answer = await storeAndWait(agent, body, patience);
    context.metrics.checks.inc({ decision: answer.decision });
    return answer;
  }

  /** Stores the request, or finds the one that this key stands for, and waits for its answer. */
  async function storeAndWait(agent: Agent, body: CheckBody, patience: Patience): Promise<Answer> {
    refuseLarge(body);
    const request = requestEvent(agent, body, callbacks);
    refuseTooLong(request.data.timeout_ms, room.keptMs());
    const { action_id } = request.data;
    // Where there is no room for new work, what was asked before is answered still.
    const giveBack = room.take(request);
    if (giveBack === null && !(await isKnown(agent.name, action_id)))
      throw new Refusal('STORE_FULL', { retryAfterS: 30 });
    const until: Until = patience.waitS > 0 ? 'decision' : 'verdict';
    const deadline = Date.now() + (patience.waitS > 0 ? patience.waitS * 1000 : config.verdictWaitMs);
    const listener = waiting.listen(action_id, until);
    const { signal } = patience;
    let asked: string | undefined = request.id;
    try {
      const appended = await bus.append(request, { version: 0 });
      if (appended.status === 'conflict') {
        giveBack?.();
        const history = await atLeader(agent.name, action_id);
        const answer = repeated(request, history, callbacks);
        if (isSettled(answer, until)) return answer;
        asked = eventIn(history, 'action.requested')?.id;
      }
      return await patiently(agent.name, action_id, { asked, until, deadline, listener, signal });
    } finally {
      listener?.stop();
    }
  }

  async function isKnown(agent: string, actionId: string): Promise<boolean> {
    const { events, forged } = await historyOf(agent, actionId);
    return events.length + forged.length > 0;
  }

  /** What is known of an action, at once or after the wait that the caller asked for. */
  async function read(agent: string, actionId: string, patience: Patience): Promise<Answer> {
    const listener = patience.waitS > 0 ? waiting.listen(actionId, 'decision') : null;
    try {
      const history = await historyOf(agent, actionId);
      if (isForgotten(history)) return await outcomeOf(agent, actionId);
      const answer = await current(agent, actionId, answerOf(actionId, history, new Date()));
      if (isSettled(answer, 'decision')) return answer;
      if (listener === null) return await confirmed(agent, actionId, answer);
      const deadline = Date.now() + patience.waitS * 1000;
      const asked = eventIn(history, 'action.requested')?.id;
      const { signal } = patience;
      return await patiently(agent, actionId, { asked, until: 'decision', deadline, listener, signal });
    } finally {
      listener?.stop();
    }
  }

  type Wait = {
    /** The event of the request. What comes live about another one under the same id is not believed. */
    asked: string | undefined;
    until: Until;
    deadline: number;
    listener: Listener | null;
    signal: AbortSignal;
  };

  async function patiently(agent: string, actionId: string, wait: Wait): Promise<Answer> {
    const { listener, signal } = wait;
    const hurry = () => listener?.wake('timeout');
    signal.addEventListener('abort', hurry, { once: true });
    try {
      for (;;) {
        const leftMs = wait.deadline - Date.now();
        if (leftMs <= 0 || signal.aborted || listener === null || waiting.isClosed())
          return await lastLook(agent, actionId);
        const woken = await listener.next(Math.min(leftMs, lookEveryMs));
        if (typeof woken === 'object' && woken.live.data.request_event === wait.asked) {
          const told = liveAnswer(woken.live);
          if (told) return told;
          // Of what was changed or chosen the rest of the history tells, which a node that is behind may not have.
          if (woken.live.type === 'action.decided') {
            return answerOf(actionId, await atLeader(agent, actionId), new Date());
          }
        }
        const answer = await current(agent, actionId, await lastLook(agent, actionId));
        if (isSettled(answer, wait.until)) return answer;
      }
    } finally {
      signal.removeEventListener('abort', hurry);
    }
  }

  /** A broker that does not answer in time leaves the truth open, which is "pending". */
  async function lastLook(agent: string, actionId: string): Promise<Answer> {
    const nothing: History = { version: 0, events: [], forged: [] };
    const history = await Promise.race([
      anywhere(agent, actionId).catch(() => nothing),
      sleep(lastLookMs).then(() => nothing),
    ]);
    return answerOf(actionId, history, new Date());
  }

  /** A node that is behind may not know yet that a permission was used: before "allowed" the leader is asked. */
  async function current(agent: string, actionId: string, answer: Answer): Promise<Answer> {
    if (answer.decision !== 'allowed') return answer;
    return answerOf(actionId, await atLeader(agent, actionId), new Date());
  }

  async function confirmed(agent: string, actionId: string, pending: Answer): Promise<Answer> {
    const history = await confirmedHistory(context, agent, actionId);
    void tellForged(history?.forged ?? []);
    return history === null ? pending : answerOf(actionId, history, new Date());
  }

  /** Any node may answer first; before "there is nothing" the leader is asked. */
  async function historyOf(agent: string, actionId: string): Promise<History> {
    const history = await anywhere(agent, actionId);
    return eventIn(history, 'action.requested') ? history : atLeader(agent, actionId);
  }

  /** What the stream no longer holds, the decisions service has stored. */
  async function outcomeOf(agent: string, actionId: string): Promise<Answer> {
    const stored = await storedOutcome(parts, agent, actionId);
    if (!stored) throw new Refusal('ACTION_NOT_FOUND');
    const answer = decidedAnswer(stored.decided, { executed: stored.executed }, new Date());
    return answer.decision === 'allowed' ? forgottenAnswer(stored.decided) : answer;
  }

  async function withdraw(agent: string, actionId: string): Promise<Answer> {
    const history = await historyOf(agent, actionId);
    if (!eventIn(history, 'action.requested')) throw new Refusal('ACTION_NOT_FOUND');
    const decided = await ask(context, requests.withdraw, { agent, action_id: actionId }, z.unknown());
    return decidedAnswer(decided as EventOf<'action.decided'>, {}, new Date());
  }

  return { submit, read, withdraw, historyOf, atLeader, waiting };
}

function refuseTooLong(timeoutMs: number | undefined, keptMs: number): void {
  if (timeoutMs === undefined || timeoutMs < keptMs) return;
  const keptS = Math.round(keptMs / 1000);
  const message = `is as long as the stream keeps an action, which is ${keptS} s, or longer: ask for less`;
  throw new Refusal('VALIDATION_ERROR', { details: [{ path: 'timeout', message }] });
}

function requestEvent(agent: Agent, body: CheckBody, callbacks: Callbacks): EventOf<'action.requested'> {
  const { action_name, payload, idempotency_key, timeout, policy, callback_url, ...told } = body;
  const actionId = actionIdFor('check', agent.name, idempotency_key);
  const callback = callback_url === undefined ? undefined : callbacks.boxed(agent, callback_url, actionId);
  return makeEvent('action.requested', {
    service: 'gateway',
    id: newId(),
    now: new Date(),
    data: {
      action_id: actionId,
      agent: agent.name,
      owner: agent.owner,
      action_name,
      payload,
      payload_digest: digestOf(payload),
      idempotency_key: idempotency_key ?? null,
      ...told,
      ...defined({ policy, callback }),
      ...timeoutMs(timeout),
    },
  });
}

/** The answer to a request that was made before, or why its key cannot be used again. */
function repeated(request: EventOf<'action.requested'>, history: History, callbacks: Callbacks): Answer {
  const { action_id, action_name, payload_digest } = request.data;
  const earlier = eventIn(history, 'action.requested')?.data;
  if (!earlier && history.forged.length === 0) {
    // The request has left the stream and its decision has not: the key is not free yet.
    if (history.events.length > 0) throw new Refusal('DECISION_EXPIRED');
    throw new Unavailable('an action is being stored by somebody else');
  }
  const isSame =
    earlier?.action_name === action_name &&
    earlier.payload_digest === payload_digest &&
    wantedOf(earlier) === wantedOf(request.data) &&
    callbacks.addressOf(earlier) === callbacks.addressOf(request.data);
  if (earlier && !isSame) throw new Refusal('IDEMPOTENCY_CONFLICT', { details: { action_id } });
  const answer = answerOf(action_id, history, new Date());
  if (answer.decision !== 'expired') return answer;
  const decided = eventIn(history, 'action.decided');
  const used = decided !== undefined && executionOf(decided, history) !== undefined;
  throw new Refusal(used ? 'ALREADY_USED' : 'DECISION_EXPIRED', { details: { action_id } });
}

/** What the caller wants to be held to, and can take, is part of what it asks. */
function wantedOf({ policy, timeout_ms, approvers, accepts, answer_schema }: EventData<'action.requested'>) {
  // In one form: the stream's own has been through JSON.
  return canonicalJson(defined({ policy, timeout_ms, approvers, accepts, answer_schema }));
}

/** Neither the request nor its decision is in the stream any more, whatever note of it may be. */
function isForgotten(history: History): boolean {
  if (history.forged.length > 0) return false;
  return !eventIn(history, 'action.requested') && !eventIn(history, 'action.decided');
}

/** What an event that comes live says by itself; null where the rest of the history is needed for the answer. */
function liveAnswer(event: EventOf<'action.decided'> | EventOf<'approval.needed'>): Answer | null {
  if (event.type === 'approval.needed') return event.data.revision === 1 ? heldAnswer(opened(event)) : null;
  const { revision, choice } = event.data;
  return revision === undefined && choice === undefined ? decidedAnswer(event, {}, new Date()) : null;
}

function isSettled(answer: Answer, until: Until): boolean {
  return answer.decision !== 'pending' || (until === 'verdict' && answer.approval !== undefined);
}
