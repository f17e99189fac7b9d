import { jetstream } from '@nats-io/jetstream';
import { connect, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { historyFilter } from '@placet/events';

/** The two processes of the bare chain find the broker here. */
export const brokerVariable = 'BENCH_BROKER';

export type Broker = { url: string; user: string; password: string };

export function connectChain(): Promise<NatsConnection> {
  const { url, user, password } = JSON.parse(process.env[brokerVariable] ?? '{}') as Broker;
  return connect({ servers: url, user, pass: password, noAsyncTraces: true });
}

/** Publishes as Placet does, at the version that was seen, with nothing but the client. */
export function createPublish(nc: NatsConnection) {
  const js = jetstream(nc);
  return (subject: string, action: string, version: number, id: string, body: string, headers?: MsgHdrs) =>
    js.publish(subject, body, {
      msgID: id,
      expect: {
        lastSubjectSequence: version,
        lastSubjectSequenceSubject: historyFilter('bench', action),
      },
      ...(headers ? { headers } : {}),
    });
}

/** About as long as the events of a small check. */
export const requestedBody = (action: string) => JSON.stringify({ action, text: 'r'.repeat(620) });
export const decidedBody = (action: string) =>
  JSON.stringify({ action, decision: 'allowed', text: 'd'.repeat(1380) });
