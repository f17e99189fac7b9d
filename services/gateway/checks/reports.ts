import { type Agent, type EventOf, eventStream, makeEvent, parseEvent, subjectFor } from '@placet/events';
import { digestOf } from '@placet/proof';
import { causeId, eventIn, newId, Refusal } from '@placet/runtime';
import { type CheckParts, type Checks, storedOutcome } from './checks.ts';
import { actionIdFor, type ExecutionBody, type LogBody } from './request.ts';

export type Reports = ReturnType<typeof createReports>;

/** What agents report: that they ran an allowed action, and what they did without asking. */
export function createReports(parts: CheckParts, checks: Checks) {
  const { context, bus, alarm, room } = parts;

  /** The permission is for once: the report ends it, and a second report is refused. */
  async function executed(agent: Agent, actionId: string, body: ExecutionBody) {
    const decided = await permissionOf(agent, actionId);
    const now = new Date();
    const { result, ...rest } = body;
    const event = makeEvent('action.executed', {
      service: 'gateway',
      id: newId(),
      now,
      data: {
        action_id: actionId,
        agent: agent.name,
        ...rest,
        ...(result === undefined ? {} : { result }),
        late: Date.parse(decided.valid_until) < now.getTime(),
        ...(decided.case === undefined ? {} : { case: decided.case }),
      } as EventOf<'action.executed'>['data'],
    });
    const stored = await bus.note(event, actionId);
    if (stored.status === 'conflict') {
      throw new Refusal('ALREADY_USED', { message: 'The execution of this action was reported before.' });
    }
    return { action_id: actionId, status: body.status, reported_at: event.time, late: event.data.late };
  }

  async function permissionOf(agent: Agent, actionId: string) {
    const history = await checks.historyOf(agent.name, actionId);
    if (history.forged.length > 0) return withoutPermission(agent, actionId, 'NOT_ALLOWED');
    const inStream = eventIn(history, 'action.decided');
    if (!inStream && eventIn(history, 'action.requested'))
      return withoutPermission(agent, actionId, 'NOT_DECIDED');
    const decided = inStream ?? (await storedOutcome(context, agent.name, actionId))?.decided;
    if (!decided) throw new Refusal('ACTION_NOT_FOUND');
    if (decided.data.decision === 'denied') return withoutPermission(agent, actionId, 'NOT_ALLOWED');
    return decided.data;
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
    throw new Refusal(code, {
      message: 'This action was not allowed, so there is nothing to report. An alarm was raised.',
    });
  }

  async function logged(agent: Agent, body: LogBody) {
    const { idempotency_key, ...told } = body;
    const data = { action_id: actionIdFor('log', agent.name, idempotency_key), agent: agent.name, ...told };
    const event = makeEvent('action.logged', {
      service: 'gateway',
      id: newId(),
      now: new Date(),
      data: data as EventOf<'action.logged'>['data'],
    });
    room.take(event);
    const stored = await bus.note(event, data.action_id);
    if (stored.status === 'stored') return { action_id: data.action_id, logged_at: event.time };
    const earlier = await read(event);
    if (!earlier || digestOf(earlier.data) !== digestOf(event.data)) {
      throw new Refusal('IDEMPOTENCY_CONFLICT', {
        message: 'This idempotency key was used for another log entry.',
      });
    }
    return { action_id: data.action_id, logged_at: earlier.time };
  }

  async function read(event: EventOf<'action.logged'>): Promise<EventOf<'action.logged'> | null> {
    const subject = subjectFor(event.type, event.data, event.data.action_id);
    const stored = await context.jsm.streams.getMessage(eventStream, { last_by_subj: subject });
    const parsed = stored && parseEvent(subject, new TextDecoder().decode(stored.data));
    return parsed?.ok ? (parsed.event as EventOf<'action.logged'>) : null;
  }

  return { executed, logged };
}
