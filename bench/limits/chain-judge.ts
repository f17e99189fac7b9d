import { randomUUID } from 'node:crypto';
import { type JsMsg, jetstream } from '@nats-io/jetstream';
import { consumers, eventStream, subjectFor } from '@placet/events';
import { connectChain, createPublish, decidedBody } from './chain.ts';

/** The policy service's place in the bare chain: a durable consumer, a decision for each request, an acknowledgement. */
const nc = await connectChain();
const publish = createPublish(nc);
const consumer = await jetstream(nc).consumers.get(eventStream, consumers.policy.durable);
const messages = await consumer.consume({ max_messages: 128 });

async function judge(message: JsMsg): Promise<void> {
  const { action } = message.json<{ action: string }>();
  const subject = subjectFor('action.decided', { agent: 'bench', action_id: action });
  await publish(subject, action, message.seq, randomUUID(), decidedBody(action));
  message.ack();
}

process.on('disconnect', () => process.exit(0));
process.send?.('ready');
for await (const message of messages) void judge(message);
