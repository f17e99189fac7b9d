import type { Jwks } from '@placet/proof';
import {
  type Bus,
  type BusContext,
  type Delivered,
  done,
  type Outcome,
  readHistoryFromLeader,
} from '@placet/runtime';
import { type Agenda, createAgenda } from './agenda.ts';
import type { CardChannel } from './card-channel.ts';
import { deal, type Late, slotsOf } from './deal.ts';
import { type Hand, openHand, type Taken } from './hand.ts';
import { type CardsEntry, claimMs, type Ledger } from './ledger.ts';
import { planOf, type Step } from './plan.ts';
import { isPeopleWanted, routesOf, type SetUp } from './routes.ts';
import { begun, createSteps } from './steps.ts';
import { createTell } from './tell.ts';
import { readTold, type Told } from './told.ts';
import type { Turns } from './turns.ts';

const behindMs = 50;
/** Half of those that are looked at at once. */
const looksMax = 8;
/** What can be done twice is written down that often. */
const putEveryMs = 1000;
const takenMs = 250;
/** An event may be delivered again for so long after an approval has ended and all that stands says so. */
const endedKeptMs = 86_400_000;

type CardParts = {
  context: BusContext;
  bus: Bus;
  ledger: Ledger<CardsEntry>;
  turns: Turns;
  channel: CardChannel;
  trusted: Jwks;
  setUp: SetUp;
};

/** With turns at a place, or because so many are told too late there, as it stood at a revision. */
export type Call = { given?: Taken; late?: Late & { revision: number } };

/** What came of a look: what could be done then is done, or why there has to be another one soon. */
type Look = 'done' | 'somebody is at it' | 'somebody has seen more';

export type Cards = {
  /** What is left to be done when nothing more has happened. */
  agenda: Agenda;
  handle(delivered: Delivered): Promise<Outcome>;
  /** Goes on with what is on the agenda. */
  goOn(key: string, call?: Call): Promise<Look>;
  /** Whether so much of this agent is done now that others come first. */
  isCrowded(agent: string): boolean;
};

type Action = { agent: string; actionId: string };
type Slots = CardsEntry['slots'];
type Looking = { key: string; seen: number; hand: Hand; late: Call['late'] };
/** What we have written down of an approval, at which revision, and when. */
type Mine = { key: string; entry: CardsEntry; revision: number; at: number };

/**
 * Brings what people see of an approval up to date, wherever it stands: an event only says that it is worth a look. So
 * the order of events does not matter, nor how often one comes. One instance at a time does so for an approval: no
 * older state is shown after a newer one. What cannot be done now is on the agenda, and the event is not needed for it.
 */
export function createCards({ context, bus, ledger, turns, channel, trusted, setUp }: CardParts): Cards {
  const agenda = createAgenda(channel);
  const looking = new Map<string, number>();
  const targetsOf = (told: Told) => routesOf(told, channel.kind, setUp);
  const isWanted = (asked: readonly string[], failed: Told['failed']) =>
    channel.kind !== 'pagerduty' && isPeopleWanted(asked, failed, setUp);
  const read = (action: Action) => readTold(context, trusted, action, isWanted);
  const doStep = createSteps({ context, tell: createTell(bus, channel.kind), turns, channel, targetsOf });

  return {
    agenda,

    async handle({ event, seq }) {
      if (!('action_id' in event.data)) return done;
      const { action_id: actionId, agent } = event.data;
      const found = await read({ actionId, agent });
      if (found.seen < seq) return again(behindMs, 'this node is behind');
      // Nobody is asked.
      if (!found.told) return done;
      const look = await bringUpToDate(found.told, found.seen, {});
      return look === 'done' ? done : again(look === 'somebody has seen more' ? behindMs : takenMs, look);
    },

    async goOn(key, call = {}) {
      const open = agenda.get(key);
      if (!open) return 'done';
      const { told, seen } = await read(open);
      return told ? bringUpToDate(told, seen, call) : forget(key, open);
    },

    isCrowded,
  };

  /** Where the stream has let go of an action, nothing is left to be done. A node that is behind does not say so. */
  async function forget(key: string, { agent, actionId }: Action): Promise<Look> {
    if ((await readHistoryFromLeader(context, agent, actionId)).events.length > 0)
      return 'somebody has seen more';
    const known = await ledger.get(key);
    if (!known) agenda.learn(key, null, Number.MAX_SAFE_INTEGER);
    const entry = { claimed: false, deadline: null, slots: {} };
    const end = new Date(Date.now() + endedKeptMs);
    if (known) await put({ key, entry, revision: known.revision, at: Date.now() }, end);
    return 'done';
  }

  function isCrowded(agent: string): boolean {
    return (looking.get(agent) ?? 0) >= looksMax;
  }

  async function bringUpToDate(told: Told, seen: number, { given, late }: Call): Promise<Look> {
    const { agent } = told;
    const key = `${channel.kind}.${agent}.${told.actionId}`;
    const hand = openHand({ turns, agenda }, { key, agent, given, isCrowded: isCrowded(agent) });
    looking.set(agent, (looking.get(agent) ?? 0) + 1);
    try {
      return await look(told, { key, seen, hand, late });
    } finally {
      await hand.close();
      const others = (looking.get(agent) ?? 1) - 1;
      if (others > 0) looking.set(agent, others);
      else looking.delete(agent);
    }
  }

  async function look(told: Told, { key, seen, hand, late }: Looking): Promise<Look> {
    const known = await ledger.get(key);
    if (known) agenda.learn(key, known.entry, known.revision);
    if (agenda.isClaimed(key, Date.now())) return 'somebody is at it';
    // Who asks for names reads for seconds. What was seen to be over meanwhile is not begun any more.
    if (known && (known.entry.seen ?? 0) > seen) return 'somebody has seen more';

    const before = known?.entry.slots ?? {};
    const steps = planOf(before, told, { wanted: targetsOf(told), now: Date.now() });
    const isAsStated = late?.revision === known?.revision && !told.ended;
    const dealt = await deal(steps, told, { channel, hand, late: isAsStated ? late : undefined });
    const { due, left } = dealt;
    const slots = { ...staying(before, steps), ...left, ...slotsOf(due, begunNow(told)) };
    // Whoever has read less and is about to send for what waits has to read again.
    const isSeenAnew = Object.keys(before).length > 0 && seen > (known?.entry.seen ?? 0);
    if (due.length > 0 || (!known && told.ended) || isSeenAnew || !isSame(slots, before)) {
      const deadline = told.ended ? null : Date.parse(told.needed.deadline);
      const entry = { claimed: due.length > 0, deadline, seen, slots };
      const mine = { key, entry, revision: known?.revision ?? 0, at: Date.now() };
      if (!(await putOf(mine, told))) {
        hand.undo();
        return 'somebody is at it';
      }
      return (await doAll(due, told, { mine, hand })) ? 'done' : 'somebody is at it';
    }
    return 'done';
  }

  /** False when somebody thought that we had died, and goes on from what was written down. */
  async function doAll(
    due: readonly Step[],
    told: Told,
    { mine, hand }: { mine: Mine; hand: Hand },
  ): Promise<boolean> {
    for (const [n, step] of due.entries()) {
      // A process that was stopped for a while goes on from where others have been since.
      if (Date.now() >= mine.at + claimMs) return false;
      const before = hand.used();
      const slot = await doStep(step, told, hand);
      const isLast = n === due.length - 1;
      // What was sent must be known; what was only changed can be changed again.
      const isSent = step.what !== 'update' || step.hasTurn || hand.used() > before;
      mine.entry = {
        ...mine.entry,
        claimed: !isLast,
        slots: { ...mine.entry.slots, [step.target]: slot },
      };
      const isToPut = isLast || isSent || Date.now() > mine.at + putEveryMs;
      if (isToPut && !(await putOf(mine, told))) return false;
    }
    return true;
  }

  function putOf(mine: Mine, told: Told): Promise<boolean> {
    return put(mine, keptUntil(mine.entry, told));
  }

  async function put(mine: Mine, end?: Date): Promise<boolean> {
    const revision = await ledger.put(mine.key, mine.entry, mine.revision, end);
    if (revision === false) return false;
    mine.revision = revision;
    mine.at = Date.now();
    agenda.learn(mine.key, mine.entry, revision);
    return true;
  }

  /**
   * An entry in which nothing is left to be done is needed no longer than an event may come again. Without one nothing
   * would be sent, unless the policy wants somebody to hear of the end: they would hear of it twice, so that stays.
   */
  function keptUntil({ slots, claimed }: CardsEntry, told: Told): Date | undefined {
    const wanted = targetsOf(told);
    const isNeeded = !told.ended || claimed || wanted.length > 0;
    if (isNeeded || planOf(slots, told, { wanted, now: Date.now() }).length > 0) return undefined;
    return new Date(Date.now() + endedKeptMs);
  }
}

/** Who waited and is not sent to any more has left. */
function staying(slots: Slots, steps: readonly Step[]): Slots {
  const going = new Set(steps.map(({ target }) => target));
  return Object.fromEntries(
    Object.entries(slots).filter(([target, { status }]) => status !== 'waiting' || going.has(target)),
  );
}

/** Nobody knows from here on whether it was sent, until it is written down. */
const begunNow =
  (told: Told) =>
  ({ what, slot }: Step) =>
    what === 'send' ? begun(slot, told, Date.now()) : slot;

/** Nothing but what is to be sent has come or gone. */
function isSame(slots: Slots, before: Slots): boolean {
  const targets = Object.keys(slots);
  return targets.length === Object.keys(before).length && targets.every((target) => target in before);
}

const again = (afterMs: number, reason: string): Outcome => ({ outcome: 'retry', afterMs, reason });
