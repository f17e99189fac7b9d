import type { PlacetEvent } from '@placet/events';
import fc from 'fast-check';
import type { ForgedMessage, OutcomeStore, Selection, StoredEvent } from '../store.ts';
import {
  actionId,
  at,
  closed,
  commented,
  decided,
  edited,
  escalated,
  executed,
  logged,
  needed,
  reassigned,
  reminded,
  requested,
  voted,
} from './events.ts';

export const stream = 'the stream';
export const apply = (store: OutcomeStore, messages: (StoredEvent | ForgedMessage)[]) =>
  store.apply(messages, { stream, seq: Math.max(...messages.map(({ seq }) => seq)) });
export const inOrder = (...events: PlacetEvent[]): StoredEvent[] =>
  events.map((event, i) => ({ seq: i + 1, event }));
export const forged = (seq: number, action: number, isDecision: boolean): ForgedMessage => {
  return { seq, forged: { actionId: actionId(action), agent: 'support', isDecision }, at: at(5) };
};

type Of = Parameters<typeof requested>[0] & { action: number };

export const askedOf = (action: number, ...roles: string[]) => asked({ action }, roles);
/** An action that is held for people of these roles. */
export const heldFor = (of: Of, ...roles: string[]) => [requested(of), asked(of, roles)];

function asked(of: Of, roles: string[]) {
  const demand = { scope: null, rule: null, quorum: 1 };
  return needed({
    ...of,
    demands: roles.map((role) => ({ ...demand, approvers: [{ kind: 'role', role }] })),
  });
}

export const idsOf = (records: { actionId: string }[]) => records.map((record) => record.actionId);

/** All that can be asked of a store about the first actions of `events.ts`. */
export async function seenIn(store: OutcomeStore) {
  const selected = async (selection: Selection) => ({
    listed: idsOf((await store.list({ ...selection, limit: 10 })).records),
    counted: await store.count(selection, 10),
  });
  const everyKey = ['role:odd', 'role:even', 'role:approver'];
  return {
    records: await Promise.all([1, 2, 3, 4].map((n) => store.get(actionId(n)))),
    pending: await selected({ status: 'pending', audience: null }),
    decided: await selected({ status: 'decided', audience: null }),
    forOdd: await selected({ status: 'all', audience: ['role:odd'] }),
    pendingForAny: await selected({ status: 'pending', audience: everyKey }),
    ofAgent: await selected({ status: 'all', audience: everyKey, agent: 'support' }),
    ofAnother: await selected({ status: 'all', audience: null, agent: 'another' }),
    untilThen: await selected({ status: 'all', audience: everyKey, until: at(4) }),
    firstPage: await store.list({ status: 'all', audience: null, limit: 1 }),
    ofCase: await store.ofCase('one', { limit: 1 }),
    lastOfCase: idsOf(await store.lastOfCase('one', 10)),
    lastHeldOfCase: idsOf(await store.lastHeldOfCase('one', 10)),
    ofCaseLater: idsOf((await store.ofCase('one', { after: 4, limit: 10 })).records),
    due: await store.due(at(9999), at(9999), 10),
    dueSoon: await store.due(at(70), at(5), 10),
    owed: await store.owed(at(9999), 10),
    owedFirst: await store.owed(at(9999), 1),
    open: await store.countOpen(),
    position: await store.position(),
  };
}

/** Each kind of event that a stream may hold of an action. */
const kinds: ((of: { action: number; now: Date }, index: number) => PlacetEvent)[] = [
  requested,
  (of) => requested({ ...of, case: 'one' }),
  (of, index) => needed({ ...of, deadline: at(60 + (index % 3) * 10) }),
  ({ action }) => askedOf(action, 'odd', 'even'),
  (of) => needed({ ...of, revision: 2, steps: [{ kind: 'remind', at: at(40).toISOString(), share: 0.5 }] }),
  voted,
  decided,
  (of) => decided({ ...of, held: false }),
  closed,
  (of) => edited({ ...of, audience: ['role:even'], due: at(65) }),
  (of) => reminded({ ...of, audience: ['role:approver'], due: at(75) }),
  (of) => escalated({ ...of, audience: ['role:odd', 'role:odd'], due: at(85) }),
  (of) => reassigned({ ...of, audience: ['role:even', 'user:bob@example.com'], due: at(95) }),
  commented,
  executed,
  logged,
  (of, index) => logged({ ...of, case: index % 2 ? 'one' : 'another' }),
];

/** What a stream may hold: two ids, asked for again and again, with what others put among their messages. */
export const someMessages = fc
  .array(
    fc.record({
      kind: fc.nat({ max: kinds.length + 1 }),
      action: fc.nat({ max: 1 }).map((n) => n + 1),
    }),
    { minLength: 1, maxLength: 16 },
  )
  .map((drawn) =>
    drawn.map(({ kind, action }, index): StoredEvent | ForgedMessage => {
      const seq = index + 1;
      const of = kinds[kind];
      return of
        ? { seq, event: of({ action, now: at(index) }, index) }
        : forged(seq, action, kind === kinds.length);
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
