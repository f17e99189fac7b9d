import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { Msg } from '@nats-io/transport-node';
import { type ConsumerSpec, eventStream, makeEvent, type PlacetEvent } from '@placet/events';
import { causeId, type RaiseAlarm } from './alarms.ts';
import { type Bus, newId } from './bus.ts';
import { type BusContext, sealHeader } from './context.ts';
import { StoreFull, Unavailable } from './errors.ts';
import { firstField, headerText } from './headers.ts';
import { readStored } from './history.ts';
import { backoffMs, type Resources, sleep } from './lifecycle.ts';
import { createForgedAlarms } from './wrong-seal.ts';

/** The shortest that the client takes. */
const heartbeatMs = 500;

/** What became of a message. Only `subscribe` turns it into the broker's words. */
export type Outcome =
  | { outcome: 'done' }
  | { outcome: 'retry'; afterMs: number; reason: string }
  | { outcome: 'dead'; reason: string };
export const done: Outcome = { outcome: 'done' };

export type Delivered = { event: PlacetEvent; subject: string; seq: number; deliveries: number };
export type Forged = { subject: string; seq: number };

export type Subscription = {
  spec: ConsumerSpec;
  handle: (message: Delivered) => Promise<Outcome>;
  /** A message whose seal or form is wrong. The alarm has been raised; the handler may still have to answer it. */
  handleForged?: (message: Forged) => Promise<Outcome>;
  concurrency?: number;
  /** A handler that throws for a reason of its own gets this many deliveries before its message is dead. */
  deliveriesMax?: number;
};

/**
 * Works through a durable consumer for ever, some messages at a time. Handlers may get a message twice and in
 * another order. Closing waits for those at work.
 */
export function subscribe(
  context: BusContext,
  bus: Bus,
  alarm: RaiseAlarm,
  resources: Resources,
  subscription: Subscription,
): void {
  const { spec, concurrency = 64, deliveriesMax = 12 } = subscription;
  const tellForged = createForgedAlarms(alarm);
  const stopping = new AbortController();
  let wake: (() => void) | undefined;
  stopping.signal.addEventListener('abort', () => wake?.());
  const faults = new Map<number, number>();
  const atWork = new Set<Promise<void>>();
  let messages: ConsumerMessages | undefined;

  async function run(): Promise<void> {
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      try {
        const consumer = await context.js.consumers.get(eventStream, spec.durable);
        messages = await consumer.consume({
          max_messages: concurrency * 2,
          // What a broker that was away still held of an older question is given up before others would wait for it.
          expires: 5000,
          // With the node that led the consumer goes what was asked of it. Two of these missed, and it is asked again;
          // by default that takes half a minute.
          idle_heartbeat: heartbeatMs,
          // Then without asking for its state first: without a leader that takes 5 s to fail.
          bind: true,
          abort_on_missing_resource: true,
        });
        if (stopping.signal.aborted) messages.stop();
        attempt = 0;
        for await (const message of messages) {
          // What was fetched and not begun goes to another instance now, not when its time to be acknowledged is over.
          if (stopping.signal.aborted) {
            message.nak();
            continue;
          }
          const work = one(message).finally(() => {
            atWork.delete(work);
            wake?.();
          });
          atWork.add(work);
          if (atWork.size >= concurrency) await somebodyFree();
        }
      } catch (error) {
        context.logger.warn(
          { err: error, consumer: spec.durable },
          'the subscription broke; starting it again',
        );
      }
      await sleep(backoffMs(attempt), stopping.signal);
    }
  }

  /** Not a race over the work itself: whatever waits long in one would be held by every message after it. */
  function somebodyFree(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve;
    });
  }

  /** How often its handler has failed by a fault of its own: a message that only waits is delivered often, too. */
  function faultOf(seq: number): number {
    const count = (faults.get(seq) ?? 0) + 1;
    faults.set(seq, count);
    return count;
  }

  // This must not throw: an unhandled rejection would end the process for one message.
  async function one(message: JsMsg): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await handled(message);
    } catch (error) {
      outcome = outcomeOfError(error, faultOf(message.seq), deliveriesMax);
      const where = { consumer: spec.durable, seq: message.seq };
      // Somebody else is away, or not yet there: where in our code that was noticed tells nobody anything.
      if (error instanceof Unavailable)
        context.logger.warn(where, `waits, and is tried again: ${error.message}`);
      else context.logger.warn({ err: error, ...where }, 'a handler failed');
    }
    if (outcome.outcome !== 'retry') faults.delete(message.seq);
    context.metrics.handled.inc({ consumer: spec.durable, outcome: outcome.outcome });
    try {
      await settle(message, outcome);
    } catch (error) {
      context.logger.warn(
        { err: error, seq: message.seq },
        'a message could not be settled; it will come again',
      );
    }
  }

  async function handled(message: JsMsg): Promise<Outcome> {
    const event = readStored(context, message.subject, message.data, sealOf(message));
    const { seq, subject } = message;
    if (event) return subscription.handle({ event, subject, seq, deliveries: message.info.deliveryCount });
    await tellForged([{ seq, subject }]);
    return subscription.handleForged?.({ subject, seq }) ?? done;
  }

  async function settle(message: JsMsg, outcome: Outcome): Promise<void> {
    switch (outcome.outcome) {
      case 'done':
        return context.sender.together(() => message.ack());
      case 'retry':
        return message.nak(outcome.afterMs);
      case 'dead':
        // The death is stored before the message is given up, so that a crash in between repeats it.
        await bus.note(deathOf(message, outcome.reason), causeId(spec.durable, message.seq));
        return message.term(outcome.reason);
      default:
        outcome satisfies never;
    }
  }

  function deathOf(message: JsMsg, reason: string) {
    return makeEvent('message.dead', {
      service: context.service,
      id: newId(),
      now: new Date(),
      data: {
        stream: eventStream,
        consumer: spec.durable,
        seq: message.seq,
        subject: message.subject,
        deliveries: message.info.deliveryCount,
        reason,
      },
    });
  }

  const running = run();
  resources.add(`subscription ${spec.durable}`, async () => {
    stopping.abort();
    messages?.stop();
    await Promise.all([running, ...atWork]);
  });
}

/** The message of the stream holds the one of the broker. */
function sealOf(message: JsMsg): string | undefined {
  const { msg } = message as unknown as { msg?: Msg };
  if (msg === undefined) return message.headers?.get(sealHeader);
  return firstField(headerText(msg), sealHeader);
}

function outcomeOfError(error: unknown, faults: number, deliveriesMax: number): Outcome {
  const reason = error instanceof Error ? error.message : String(error);
  const afterMs = Math.round(backoffMs(faults, 250, 15_000));
  // A store or a broker that is away is waited for; only a handler's own fault can kill a message.
  if (error instanceof Unavailable || error instanceof StoreFull)
    return { outcome: 'retry', afterMs, reason };
  return faults >= deliveriesMax ? { outcome: 'dead', reason } : { outcome: 'retry', afterMs, reason };
}
