import type { PlacetEvent } from '@placet/events';
import type { ForgedMessage, OutcomeStore, StoredEvent } from '../store.ts';
import { deliver } from './deliveries.ts';
import { dump } from './dump.ts';
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
import type { OpenStore } from './opened.ts';
import { type Random, randomOf } from './random.ts';

type Message = StoredEvent | ForgedMessage;
type Of = { action: number; agent: string; case?: string | undefined };
/** What happens next, once the moment is there. */
type Step = (now: Date) => PlacetEvent | { isDecision: boolean };

const agents = ['support', 'billing', 'ops'] as const;
const roles = ['approver', 'manager', 'finance', 'legal'] as const;
const roleKeys = roles.map((role) => `role:${role}`);
const cases = ['ticket 1', 'ticket 2', '$ticket.3'] as const;
const activeMax = 40;
const stepMaxMs = 900;
const deadlineMaxMs = 3_600_000;
const batchSize = 500;
const windowMax = 400;

/** All of a stream, and what there is to ask about. */
export type Histories = {
  messages: Message[];
  actionIds: string[];
  agents: readonly string[];
  keys: readonly string[];
  cases: readonly string[];
  end: Date;
};

/** So many actions as they may come about, one amid the others. */
export function historiesOf({ histories, seed }: { histories: number; seed: number }): Histories {
  const random = randomOf(seed);
  const messages: Message[] = [];
  const active: { of: Of; steps: Generator<Step> }[] = [];
  let begun = 0;
  let now = at(0);
  while (begun < histories || active.length > 0) {
    if (begun < histories && (active.length === 0 || (active.length < activeMax && random.chance(30)))) {
      const of = {
        action: ++begun,
        agent: random.pick(agents),
        case: random.pick([undefined, undefined, ...cases]),
      };
      active.push({ of, steps: actionOf(of, random) });
    }
    const index = random.upTo(active.length - 1);
    const { of, steps } = active[index] ?? { of: null, steps: null };
    const next = steps?.next();
    if (!of || !next || next.done) {
      active.splice(index, 1);
      continue;
    }
    now = new Date(now.getTime() + random.upTo(stepMaxMs));
    messages.push(messageOf(messages.length + 1, of, next.value(now), now));
  }
  const actionIds = Array.from({ length: histories }, (_, n) => actionId(n + 1));
  const users = ['user:bob@example.com'];
  return { messages, actionIds, agents, keys: [...roleKeys, ...users], cases, end: now };
}

/** Ids of events are the same whenever the seed is. */
function messageOf(seq: number, of: Of, made: PlacetEvent | { isDecision: boolean }, at: Date): Message {
  if ('isDecision' in made) {
    return { seq, forged: { actionId: actionId(of.action), agent: of.agent, ...made }, at };
  }
  return { seq, event: { ...made, id: `event-${seq}` } };
}

function* actionOf(of: Of, random: Random): Generator<Step> {
  if (random.chance(15)) yield* logOf(of, random);
  else yield* requestOf(of, random);
  // Whoever asks again under the same id asks for another action.
  if (random.chance(10)) yield* requestOf({ ...of, case: random.pick([undefined, ...cases]) }, random);
}

function* logOf(of: Of, random: Random): Generator<Step> {
  yield (now) => logged({ ...of, now });
  if (random.chance(20)) yield (now) => logged({ ...of, now, case: random.pick(cases) });
  if (random.chance(30)) yield (now) => commented({ ...of, now });
}

function* requestOf(of: Of, random: Random): Generator<Step> {
  yield (now) => requested({ ...of, now });
  if (random.chance(5)) return;
  if (random.chance(40)) {
    yield (now) => decided({ ...of, now, held: false });
  } else {
    yield* heldOf(of, random);
    if (random.chance(35)) return;
    yield (now) => (random.chance(10) ? { isDecision: true } : decided({ ...of, now }));
    if (random.chance(80)) yield (now) => closed({ ...of, now });
  }
  if (random.chance(50)) yield (now) => executed({ ...of, now });
}

/** What people do about an action that waits for them, and what happens while they do nothing. */
function* heldOf(of: Of, random: Random): Generator<Step> {
  const later = (now: Date) => new Date(now.getTime() + random.upTo(deadlineMaxMs));
  const asked = (now: Date) => ({ ...of, now, due: later(now), audience: random.some(roleKeys, 40) });
  const need = (revision: number) => (now: Date) => {
    const approvers = random.some(roles, 40).map((role) => ({ kind: 'role' as const, role }));
    const steps = random.some([later(now)], 50).map((then) => {
      return { kind: 'remind' as const, at: then.toISOString(), share: 0.5 };
    });
    const demands = [{ scope: 'default', rule: null, approvers, quorum: 1 }];
    return needed({ ...of, now, revision, demands, steps, deadline: later(now) });
  };
  let revision = 1;
  yield need(revision);
  for (let number = 1, left = random.upTo(6); left > 0; left--) {
    switch (random.upTo(7)) {
      case 0:
        yield (now) => reminded({ ...asked(now), number: number++ });
        break;
      case 1:
        yield (now) => escalated({ ...asked(now), number: number++, replace: true });
        break;
      case 2: {
        const to = ['user:bob@example.com'];
        yield (now) => reassigned({ ...asked(now), number: number++, audience: to });
        break;
      }
      case 3:
        revision++;
        yield (now) => edited({ ...asked(now), number: number++, revision });
        yield need(revision);
        break;
      case 4:
        yield (now) => commented({ ...of, now });
        break;
      case 5:
        yield () => ({ isDecision: false });
        break;
      default:
        yield (now) => voted({ ...of, now, number: number++, by: `person-${number}` });
    }
  }
}

/** The stream as it is read, by who was cut off and began anew, got some of it twice, and none of it in order. */
async function deliverAnyhow(store: OutcomeStore, messages: Message[], random: Random): Promise<void> {
  const cutOff = random.upTo(Math.floor(messages.length / 8));
  await deliver(store, [messages.slice(0, cutOff), batchSize]);
  for (let from = 0; from < messages.length; ) {
    const to = from + 1 + random.upTo(windowMax);
    const window = messages.slice(from, to);
    const earlier = random.some(messages.slice(Math.max(0, from - windowMax), from), 5);
    const read = random.shuffled([...window, ...random.some(window, 15), ...earlier]);
    await deliver(store, [read, 1 + random.upTo(batchSize)]);
    from = to;
  }
}

/** Whether a store that is made from the stream again, in whatever way, is the one that was made from it in order. */
export async function compareRebuild(
  open: OpenStore,
  { histories, seed }: { histories: number; seed: number },
): Promise<{ messages: number; bytes: number; difference: string | null }> {
  const made = historiesOf({ histories, seed });
  const [first, second] = [await open(), await open()];
  try {
    await deliver(first.store, [made.messages, batchSize]);
    await deliverAnyhow(second.store, made.messages, randomOf(seed + 1));
    const [one, other] = [await dump(first.store, made), await dump(second.store, made)];
    return { messages: made.messages.length, bytes: one.length, difference: differenceOf(one, other) };
  } finally {
    await Promise.all([first.drop(), second.drop()]);
  }
}

/** Where two texts begin to differ, with what stands around it. */
export function differenceOf(one: string, other: string): string | null {
  if (one === other) return null;
  let from = 0;
  while (one[from] === other[from]) from++;
  const around = (text: string) => text.slice(Math.max(0, from - 300), from + 300);
  return `${around(one)}\n  or\n${around(other)}`;
}
