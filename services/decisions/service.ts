import {
  ActionQuestion,
  ApprovalQuestion,
  ApprovalsQuestion,
  audienceOf,
  CancelQuestion,
  configBuckets,
  requests,
  SignerKey,
  type VoteAnswer,
  VoteQuestion,
} from '@placet/events';
import { digestOf, type Jwks, type Signer } from '@placet/proof';
import {
  answer,
  causeId,
  confirmedHistory,
  findHistory,
  fitting,
  openConfigStore,
  proofProblem,
  publishSigner,
  Refusal,
  type RunningService,
  readHistory,
  readHistoryFromLeader,
  type ServiceEnvironment,
  type ServiceParts,
  startService,
  trustedOf,
} from '@placet/runtime';
import * as z from 'zod';
import type { ActionState } from './approval.ts';
import type { DecisionsConfig } from './config.ts';
import { createExecute, type Execute, isBlocked } from './execute.ts';
import { startFeed } from './feed.ts';
import type { ActionRecord, OutcomeStore } from './store.ts';
import { startSweep } from './sweep.ts';
import { approvalView, decidedIn, executedIn, neededIn, neededSeq } from './views.ts';

export function startDecisionsService(
  environment: ServiceEnvironment,
  options: { config: DecisionsConfig; signer: Signer; store: OutcomeStore },
): Promise<RunningService> {
  return startService('decisions', environment, async (parts) => {
    const { context, bus, alarm, resources } = parts;
    const { config, signer, store } = options;
    resources.add('store of outcomes', () => store.close());
    const signers = await openConfigStore(context, alarm, resources, {
      bucket: configBuckets.signers,
      schema: SignerKey,
    });
    await publishSigner(signers, 'decisions', signer.publicJwk);
    const execute = createExecute(context, bus, signer);
    const feed = startFeed(parts, store);
    const trusted = () => trustedOf(signers);
    answerQuestions(parts, store, execute, trusted);
    startSweep(parts, store, execute, config);
    const behind = () => feed.problem();
    return {
      unready: () => (behind() === null ? [] : [`decisions: the outcomes cannot be stored: ${behind()}`]),
    };
  });
}

function answerQuestions(
  parts: ServiceParts,
  store: OutcomeStore,
  execute: Execute,
  trusted: () => Jwks,
): void {
  const { context, alarm } = parts;
  answer(parts, requests.vote, VoteQuestion, async (question, request): Promise<VoteAnswer> => {
    const { action_id, vote } = question;
    const state = await execute(await agentOf(action_id), action_id, {
      kind: 'vote',
      question,
      request,
      now: new Date(),
    });
    if (state.status !== 'decided') return { action_id, vote, decision: 'pending' };
    const { decision, reason } = state.decided.data;
    return { action_id, vote, decision, reason };
  });

  answer(parts, requests.withdraw, ActionQuestion, async ({ agent, action_id }) => {
    const state: ActionState = await execute(agent, action_id, { kind: 'withdraw' });
    if (state.status === 'decided') return state.decided;
    throw new Refusal('UNAVAILABLE');
  });

  answer(parts, requests.cancel, CancelQuestion, async ({ action_id, by, reason }) => {
    const state = await execute(await agentOf(action_id), action_id, { kind: 'cancel', by, reason });
    if (state.status !== 'decided') throw new Refusal('UNAVAILABLE');
    return { action_id, decision: 'denied', reason: state.decided.data.reason };
  });

  answer(parts, requests.outcome, ActionQuestion, async ({ agent, action_id }) => {
    const record = await store.get(action_id);
    const decided = record?.agent === agent ? decidedIn(record) : null;
    return record && decided ? { decided, executed: executedIn(record) } : null;
  });

  answer(parts, requests.undecided, z.object({}), async () => {
    return { count: (await store.countOpen()).undecided };
  });

  answer(parts, requests.approvals, ApprovalsQuestion, async (question) => {
    const { records, before } = await store.list(question);
    const current = await Promise.all(records.map(currentOf));
    const views = current.flatMap((record) => {
      const view = record && approvalView(record);
      const isAskedFor = question.status === 'all' || view?.status === question.status;
      return view && isAskedFor && isFor(record, question.audience) ? [{ view, seq: neededSeq(record) }] : [];
    });
    const page = fitting(views);
    const next = page.length < views.length ? (page.at(-1)?.seq ?? null) : before;
    return { approvals: page.map(({ view }) => view), before: next };
  });

  answer(parts, requests.approval, ApprovalQuestion, async ({ action_id, audience }) => {
    const record = await confirmedRecordOf(action_id);
    const view = record && isFor(record, audience) ? approvalView(record) : null;
    if (!view)
      throw new Refusal('NOT_FOUND', { message: 'There is no approval with this id that concerns you.' });
    return view;
  });

  /**
   * The store says which there are, and the stream what they are: in the store whoever has its password can write
   * anything. What is decided stays listed when the stream has let go of it; what is not decided is in the stream.
   */
  async function currentOf(stored: ActionRecord): Promise<ActionRecord | null> {
    const { actionId, agent } = stored;
    let history = await readHistory(context, agent, actionId);
    const isThere = () => history.events.some(({ event }) => event.type === 'approval.needed');
    if (!isThere()) history = await readHistoryFromLeader(context, agent, actionId);
    if (isThere()) return { actionId, agent, events: history.events, blocked: isBlocked(history) };
    return proven(stored);
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
  async function recordOf(actionId: string): Promise<ActionRecord | null> {
    const found = await findHistory(context, actionId);
    if (!found) return proven(await store.get(actionId));
    const { agent, history } = found;
    return { actionId, agent, events: history.events, blocked: isBlocked(history) };
  }

  async function confirmedRecordOf(actionId: string): Promise<ActionRecord | null> {
    const record = await recordOf(actionId);
    if (!record || decidedIn(record)) return record;
    const history = await confirmedHistory(context, record.agent, actionId);
    return history ? { ...record, events: history.events, blocked: isBlocked(history) } : record;
  }

  async function agentOf(actionId: string): Promise<string> {
    const record = await recordOf(actionId);
    if (!record) throw new Refusal('NOT_FOUND', { message: 'There is no approval with this id.' });
    return record.agent;
  }
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
  const events = record.events.map(({ seq, event }) =>
    event.type === 'approval.needed'
      ? { seq, event: { ...event, data: { ...event.data, payload: '[redacted]', redacted: ['payload'] } } }
      : { seq, event },
  );
  return { ...record, events };
}

function isFor(record: ActionRecord, audience: string[] | null): boolean {
  if (audience === null) return true;
  return record.events.some(
    ({ event }) =>
      event.type === 'approval.needed' &&
      audienceOf(event.data.demands).some((key) => audience.includes(key)),
  );
}
