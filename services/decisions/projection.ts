import { type EventOf, makeEvent } from '@placet/events';
import { type Bus, causeId, type Delivered, done, newId, type Outcome, Unavailable } from '@placet/runtime';
import type { Execute } from './execute.ts';
import type { OutcomeStore, StoredEvent } from './store.ts';

/** A vote's own handler decides within milliseconds; only where it died, somebody has to finish. */
const graceMs = 1000;

/** Keeps the store up to date with the stream, and does what is still owed of each event. */
export function createProjection(store: OutcomeStore, bus: Bus, execute: Execute, sweepAfterMs: number) {
  const apply = inGroups((events: StoredEvent[]) => store.apply(events));

  return async ({ event, seq, deliveries }: Delivered): Promise<Outcome> => {
    await apply({ seq, event });
    switch (event.type) {
      case 'approval.voted':
        if (deliveries === 1)
          return { outcome: 'retry', afterMs: graceMs, reason: 'whether a decision is owed' };
        await finish(event);
        return done;
      case 'action.decided':
        if (event.data.held) await close(event);
        return done;
      default:
        return done;
    }
  };

  async function finish({ data }: EventOf<'approval.voted'>): Promise<void> {
    const look = { kind: 'look', now: new Date(), sweepAfterMs } as const;
    await execute(data.agent, data.action_id, look, { fresh: true });
  }

  async function close(decided: EventOf<'action.decided'>): Promise<void> {
    const { action_id, agent, action_name, decision, reason, deciders, proof } = decided.data;
    const ofCase = decided.data.case === undefined ? {} : { case: decided.data.case };
    const event = makeEvent('approval.closed', {
      service: 'decisions',
      id: newId(),
      now: new Date(),
      data: {
        action_id,
        agent,
        action_name,
        decision,
        reason,
        deciders,
        decision_event: decided.id,
        proof,
        ...ofCase,
      },
    });
    await bus.note(event, causeId('closed', decided.id));
  }
}

/** Transactions are at least this far apart under load, because each waits for the disk. */
const groupMs = 20;

/** Many events that arrive together are stored in one transaction; one that comes alone is stored at once. */
function inGroups(store: (events: StoredEvent[]) => Promise<void>): (event: StoredEvent) => Promise<void> {
  type Waiting = { event: StoredEvent; resolve: () => void; reject: (error: Error) => void };
  let waiting: Waiting[] = [];
  let busy = false;
  let lastFlush = 0;

  async function flush(): Promise<void> {
    const group = waiting;
    waiting = [];
    try {
      await store(group.map(({ event }) => event));
      for (const { resolve } of group) resolve();
    } catch (error) {
      const away = new Unavailable('the store of outcomes did not take an event', { cause: error });
      for (const { reject } of group) reject(away);
    }
    lastFlush = performance.now();
    busy = false;
    if (waiting.length > 0) schedule();
  }

  function schedule(): void {
    if (busy) return;
    busy = true;
    setTimeout(() => void flush(), Math.max(0, lastFlush + groupMs - performance.now()));
  }

  return (event) =>
    new Promise((resolve, reject) => {
      waiting.push({ event, resolve, reject });
      schedule();
    });
}
