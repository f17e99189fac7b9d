import { randomBytes } from 'node:crypto';
import { headers } from '@nats-io/transport-node';
import { type NatsServer, startNatsServer } from '@placet/embedded';
import {
  type EventData,
  type EventOf,
  type EventType,
  makeEvent,
  type PlacetEvent,
  type Service,
  subjectFor,
} from '@placet/events';
import type { Sealer } from '@placet/proof';
import {
  natsServerBinary,
  releaseAfterTest,
  startTestBus,
  startTestNats,
  type TestBus,
  temporaryDirectory,
  testSealer,
} from '@placet/testing';
import { newId } from '../bus.ts';
import { sealHeader } from '../context.ts';

export const agent = 'support';
export const newAction = () => `act_${randomBytes(16).toString('hex')}`;

const digest = `sha256:${'a'.repeat(64)}`;
const event = <T extends EventType>(
  type: T,
  service: Service,
  data: EventData<T>,
  id = newId(),
): EventOf<T> => makeEvent(type, { service, id, now: new Date(), data });

/** The id of the request's event, which what is decided about it names. */
const requestId = (action: string, of = agent) => `request-${of}-${action}`;

export function requested(action_id: string, of = agent): EventOf<'action.requested'> {
  const data = {
    action_id,
    agent: of,
    action_name: 'refund',
    payload: { amount: 5 },
    payload_digest: digest,
    idempotency_key: null,
    owner: 'dana@example.com',
  };
  return event('action.requested', 'gateway', data, requestId(action_id, of));
}

export function voted(action_id: string, number: number): EventOf<'approval.voted'> {
  return event('approval.voted', 'decisions', {
    action_id,
    agent,
    number,
    request: newId(),
    vote: 'approve',
    voter: { id: 'p1', email: 'dana@example.com' },
    eligible_as: [{ as: ['role:approver'] }],
    channel: 'api',
    payload_digest: digest,
  });
}

export function denied(
  action_id: string,
  reason = 'no',
  request_event = requestId(action_id),
): EventOf<'action.decided'> {
  return event('action.decided', 'decisions', {
    action_id,
    agent,
    action_name: 'refund',
    request_event,
    reason,
    rule: null,
    scope: null,
    policies: [],
    payload_digest: digest,
    deciders: [],
    held: false,
    proof: 'a.b.c',
    decision: 'denied',
    cause: 'policy',
  });
}

export function executed(action_id: string): EventOf<'action.executed'> {
  return event('action.executed', 'gateway', {
    action_id,
    agent,
    decision_event: 'decision',
    status: 'success',
    late: false,
  });
}

export function commented(action_id: string, comment: string): EventOf<'approval.commented'> {
  const by = { id: 'p1', email: 'dana@example.com' };
  return event('approval.commented', 'decisions', { action_id, agent, by, comment, channel: 'api' });
}

export async function startBus(options: Parameters<typeof startTestBus>[1] = {}): Promise<TestBus> {
  return startTestBus(await startTestNats(), options);
}

/** Two services with one key on one broker. */
export async function startTwo(one: Service = 'gateway', other: Service = 'decisions') {
  const server = await startTestNats();
  const sealer = testSealer();
  return [
    await startTestBus(server, { service: one, sealer }),
    await startTestBus(server, { service: other, sealer }),
  ] as const;
}

/** A broker that comes back at its address, with its files, as after a restart of its machine. */
export async function startRestartable(): Promise<{ server: NatsServer; restart: () => Promise<void> }> {
  const options = { binary: natsServerBinary(), dir: temporaryDirectory(), syncAlways: false };
  let server = await startNatsServer(options);
  releaseAfterTest('nats-server', () => server.stop());
  async function restart() {
    const { url, user, password } = server;
    await server.stop();
    server = await startNatsServer({ ...options, reuse: { url, user, password } });
  }
  return { server, restart };
}

/** Puts a message on the stream as somebody does who reached the broker: any subject, body and seal. */
export async function forge(
  { context }: TestBus,
  subject: string,
  body: string,
  seal?: string,
): Promise<number> {
  const h = headers();
  if (seal !== undefined) h.set(sealHeader, seal);
  return (await context.js.publish(subject, body, { headers: h })).seq;
}

export function sealOf(sealer: Sealer | null, subject: string, body: string): string {
  if (!sealer) throw new Error('this service holds no key');
  return sealer.seal(subject, body);
}

export const placeOf = (e: PlacetEvent, suffix?: string | number) => subjectFor(e.type, e.data, suffix);

/** How many messages the stream holds under a filter. */
export async function countOf({ context }: TestBus, filter: string): Promise<number> {
  const info = await context.jsm.streams.info('PLACET', { subjects_filter: filter });
  return Object.values(info.state.subjects ?? {}).reduce((sum, n) => sum + n, 0);
}

/** The events of a type that belongs to no action. */
export async function systemEvents<T extends 'alarm.raised' | 'message.dead'>(
  { context }: TestBus,
  type: T,
): Promise<EventOf<T>[]> {
  const info = await context.jsm.streams.info('PLACET', { subjects_filter: `placet.sys.${type}.*` });
  const messages = await Promise.all(
    Object.keys(info.state.subjects ?? {}).map((last_by_subj) =>
      context.jsm.streams.getMessage('PLACET', { last_by_subj }),
    ),
  );
  return messages.flatMap((message) => (message ? [message.json<EventOf<T>>()] : []));
}
