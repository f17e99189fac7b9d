import fc from 'fast-check';
import type { ForgedMessage, ListQuery, OutcomeStore, StoredEvent } from '../store.ts';
import { actionId, at, closed, decided, needed, requested, voted } from './events.ts';

export const stream = 'the stream';
export const apply = (store: OutcomeStore, messages: (StoredEvent | ForgedMessage)[]) =>
  store.apply(messages, { stream, seq: Math.max(...messages.map(({ seq }) => seq)) });
export const forged = (seq: number, action: number, isDecision: boolean): ForgedMessage => {
  return { seq, forged: { actionId: actionId(action), agent: 'support', isDecision }, at: at(5) };
};
export const askedOf = (action: number, ...roles: string[]) =>
  needed({
    action,
    demands: roles.map((role) => ({
      scope: null,
      rule: null,
      approvers: [{ kind: 'role', role }],
      quorum: 1,
    })),
  });
export const idsOf = (records: { actionId: string }[]) => records.map((record) => record.actionId);

/** All that can be asked of a store about the first actions of `events.ts`. */
export async function seenIn(store: OutcomeStore) {
  const list = async (status: ListQuery['status'], audience: string[] | null) =>
    idsOf((await store.list({ status, audience, limit: 10 })).records);
  return {
    records: await Promise.all([1, 2, 3, 4].map((n) => store.get(actionId(n)))),
    pending: await list('pending', null),
    decided: await list('decided', null),
    forOdd: await list('all', ['role:odd']),
    pendingForAny: await list('pending', ['role:odd', 'role:even', 'role:approver']),
    due: await store.due(at(9999), at(9999), 10),
    dueSoon: await store.due(at(70), at(5), 10),
    owed: await store.owed(at(9999), 10),
    owedFirst: await store.owed(at(9999), 1),
    open: await store.countOpen(),
    position: await store.position(),
  };
}

/** What a stream may hold: two ids, asked for again and again, with what others put among their messages. */
export const someMessages = fc
  .array(fc.record({ kind: fc.nat({ max: 9 }), action: fc.nat({ max: 1 }).map((n) => n + 1) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((drawn) =>
    drawn.map(({ kind, action }, index): StoredEvent | ForgedMessage => {
      const [seq, now] = [index + 1, at(index)];
      const automatic = decided({ action });
      const of = [
        requested({ action, now }),
        requested({ action, now }),
        needed({ action, now, deadline: at(60 + (index % 3) * 10) }),
        askedOf(action, 'odd', 'even'),
        voted({ action, now }),
        decided({ action, now }),
        { ...automatic, data: { ...automatic.data, held: false } },
        closed({ action, now }),
      ][kind];
      return of ? { seq, event: of } : forged(seq, action, kind === 9);
    }),
  );

/** The same messages twice, in any order, in batches of any size. */
export const deliveriesOf = (messages: (StoredEvent | ForgedMessage)[]) =>
  fc.tuple(
    fc.shuffledSubarray([...messages, ...messages], { minLength: messages.length * 2 }),
    fc.integer({ min: 1, max: messages.length * 2 }),
  );

export async function deliver(
  store: OutcomeStore,
  [messages, batchSize]: [(StoredEvent | ForgedMessage)[], number],
): Promise<void> {
  for (let from = 0; from < messages.length; from += batchSize) {
    await apply(store, messages.slice(from, from + batchSize));
  }
}
