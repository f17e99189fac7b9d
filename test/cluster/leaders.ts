import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Broker, Cluster } from '@placet/cluster';
import { consumers, eventStream } from '@placet/events';
import { eventually } from '@placet/testing';
import { expect } from 'vitest';

/** Nodes that keep the same: one of them leads. */
export type Group = { api: string; leader(jsm: JetStreamManager): Promise<string> };

const { durable } = consumers.policy;

export const streamGroup: Group = {
  api: `STREAM.LEADER.STEPDOWN.${eventStream}`,
  leader: async (jsm) => (await jsm.streams.info(eventStream)).cluster?.leader ?? '',
};

export const consumerGroup: Group = {
  api: `CONSUMER.LEADER.STEPDOWN.${eventStream}.${durable}`,
  leader: async (jsm) => (await jsm.consumers.info(eventStream, durable)).cluster?.leader ?? '',
};

/** Another node leads afterwards. */
export async function stepDown(
  nc: NatsConnection,
  jsm: JetStreamManager,
  { api, leader }: Group,
): Promise<void> {
  const before = await leader(jsm);
  const reply = await nc.request(`$JS.API.${api}`, '', { timeout: 5000 });
  expect(reply.json()).toMatchObject({ success: true });
  await eventually(async () => {
    const now = await leader(jsm);
    expect(now).not.toBe('');
    expect(now).not.toBe(before);
  });
}

export const victims = ['a follower', 'the leader of the consumer', 'the leader of the stream'] as const;
export type Victim = (typeof victims)[number];

export async function brokerOf({ brokers }: Cluster, jsm: JetStreamManager, victim: Victim): Promise<Broker> {
  const leaders = { stream: await streamGroup.leader(jsm), consumer: await consumerGroup.leader(jsm) };
  const found = brokers.find(({ name }) => {
    if (victim === 'the leader of the stream') return name === leaders.stream;
    if (victim === 'the leader of the consumer') return name === leaders.consumer;
    return name !== leaders.stream && name !== leaders.consumer;
  });
  if (!found) throw new Error(`no broker is ${victim} (${JSON.stringify(leaders)})`);
  return found;
}

/** All three nodes hold all of the stream and of its consumer again. */
export async function inStep(jsm: JetStreamManager): Promise<void> {
  await eventually(async () => {
    const { cluster: stream } = await jsm.streams.info(eventStream);
    const { cluster: consumer } = await jsm.consumers.info(eventStream, durable);
    for (const group of [stream, consumer]) {
      expect(group?.replicas?.map(({ current, offline }) => current && !offline)).toEqual([true, true]);
    }
  }, 60_000);
}
