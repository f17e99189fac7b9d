import { type Agent, type EventData, type EventOf, makeEvent, subjectFor } from '@placet/events';
import { digestOf } from '@placet/proof';
import { causeId, defined, eventIn, newId, Refusal, readNote } from '@placet/runtime';
import type { CheckParts, Checks } from './checks.ts';
import { storedOutcome } from './outcomes.ts';
import { actionIdFor, type ExecutionBody, type LogBody, refuseLarge } from './request.ts';

export type Reports = ReturnType<typeof createReports>;

/** What agents report: that they ran an allowed action, and what they did without asking. */
export function createReports(parts: CheckParts, checks: Checks) {
  const { context, bus, alarm, room } = parts;

  /** The permission is for once: the report ends it, and a second report is refused. */
  async function executed(agent: Agent, actionId: string, body: ExecutionBody) {
    const permission = await permissionOf(agent, actionId);
    const { valid_until, case: ofCase } = permission.data;
    const now = new Date();
    const data: EventData<'action.executed'> = {
      action_id: actionId,
      agent: agent.name,
      decision_event: permission.id,
      status: body.status,
      ...defined({ error: body.error, latency_ms: body.latency_ms, result: body.result, case: ofCase }),
      late: Date.parse(valid_until) < now.getTime(),
    };
    const event = makeEvent('action.executed', { service: 'gateway', id: newId(), now, data });
    const stored = await bus.note(event, causeId('executed', permission.id));
    if (stored.status === 'conflict') {
      throw new Refusal('ALREADY_USED', { message: 'The execution of this action was reported before.' });
    }
    return { action_id: actionId, status: body.status, reported_at: event.time, late: data.late };
  }

  type Permission = EventOf<'action.decided'> & { data: { decision: 'allowed' } };

  async function permissionOf(agent: Agent, actionId: string): Promise<Permission> {
    // Any node may be behind; before an agent is called a liar the leader is asked.
    let history = await checks.historyOf(agent.name, actionId);
    if (!eventIn(history, 'action.decided')) {
      history = await checks.atLeader(agent.name, actionId);
    }
    if (history.forged.length > 0) {
      // Not the agent's doing: an alarm about the forgery has been raised.
      throw new Refusal('NOT_ALLOWED', {
        message: 'The history of this action holds an event that Placet did not write.',
      });
    }
    const inStream = eventIn(history, 'action.decided');
    if (!inStream && eventIn(history, 'action.requested')) {
      return withoutPermission(agent, actionId, 'NOT_DECIDED');
    }
    const decided = inStream ?? (await storedOutcome(parts, agent.name, actionId))?.decided;
    if (!decided) throw new Refusal('ACTION_NOT_FOUND');
    return isPermission(decided) ? decided : withoutPermission(agent, actionId, 'NOT_ALLOWED');
  }

  function isPermission(decided: EventOf<'action.decided'>): decided is Permission {
    return decided.data.decision === 'allowed';
  }

  /** An agent says that it ran what nobody allowed: that is refused, and never kept quiet. */
  async function withoutPermission(
    agent: Agent,
    actionId: string,
    code: 'NOT_ALLOWED' | 'NOT_DECIDED',
  ): Promise<never> {
    await alarm({
      kind: 'executed_without_permission',
      about: causeId(agent.name, actionId),
      message: `The agent ${agent.name} reports that it ran ${actionId}, which was not allowed.`,
      details: { agent: agent.name, action_id: actionId },
    });
    const what = code === 'NOT_DECIDED' ? 'is not decided yet' : 'was not allowed';
    throw new Refusal(code, {
      message: `This action ${what}, so there is nothing to report. An alarm was raised.`,
    });
  }

  async function logged(agent: Agent, body: LogBody) {
    refuseLarge(body);
    const { idempotency_key, ...told } = body;
    const action_id = actionIdFor('log', agent.name, idempotency_key);
    const data = { action_id, agent: agent.name, ...defined(told) } as EventData<'action.logged'>;
    const event = makeEvent('action.logged', { service: 'gateway', id: newId(), now: new Date(), data });
    const giveBack = room.take(event);
    if (giveBack === null) throw new Refusal('STORE_FULL', { retryAfterS: 30 });
    const stored = await bus.note(event, action_id);
    if (stored.status === 'stored') return { action_id, logged_at: event.time };
    giveBack();
    const earlier = await readNote(context, subjectFor(event.type, data, action_id));
    if (!earlier || digestOf(earlier.data) !== digestOf(data)) {
      throw new Refusal('IDEMPOTENCY_CONFLICT', {
        message: 'This idempotency key was used for another log entry.',
      });
    }
    return { action_id, logged_at: earlier.time };
  }

  return { executed, logged };
}
