import type { Jwks } from '@placet/proof';
import { type Bus, type BusContext, type Delivered, done, type Outcome } from '@placet/runtime';
import type { CardChannel } from './card-channel.ts';
import type { CardsEntry, Ledger } from './ledger.ts';
import { planOf, type Step } from './plan.ts';
import { createQueue } from './queue.ts';
import { isPeopleWanted, routesOf, type SetUp } from './routes.ts';
import { begun, createSteps } from './steps.ts';
import { createTell } from './tell.ts';
import { readTold, type Told } from './told.ts';
import type { Turns } from './turns.ts';

/** Longer than the longest attempt: whoever is at it for longer has died. */
const heldMs = 20_000;
const behindMs = 50;
const takenMs = 250;
/** An event may be delivered again for so long after an approval has ended and all that stands says so. */
const endedKeptMs = 86_400_000;
/** What waits for its turn may be over long before. */
const lookAgainMs = 10_000;

type CardParts = {
  context: BusContext;
  bus: Bus;
  ledger: Ledger<CardsEntry>;
  turns: Turns;
  channel: CardChannel;
  trusted: Jwks;
  setUp: SetUp;
};

type Slots = CardsEntry['slots'];
/** What we have written down of an approval, at which revision, and until when nobody else is at it. */
type Held = { key: string; slots: Slots; revision: number; until: number };

/**
 * Brings what people see of an approval up to date, wherever it stands: an event only says that it is worth a look. So
 * the order of events does not matter, nor how often one comes. One instance at a time does so for an approval: no
 * older state is shown after a newer one.
 */
export function createCards({ context, bus, ledger, turns, channel, trusted, setUp }: CardParts) {
  const targetsOf = (told: Told) => routesOf(told, channel.kind, setUp);
  const isWanted = (asked: readonly string[], failed: Told['failed']) =>
    channel.kind !== 'pagerduty' && isPeopleWanted(asked, failed, setUp);
  const doStep = createSteps({ context, tell: createTell(bus, channel.kind), turns, channel, targetsOf });
  const queue = createQueue(channel, turns);

  return async ({ event, seq }: Delivered): Promise<Outcome> => {
    if (!('action_id' in event.data)) return done;
    const { action_id: actionId, agent } = event.data;
    const read = await readTold(context, trusted, { actionId, agent }, isWanted);
    // Nobody is asked, or the stream has forgotten it.
    if (!read) return done;
    if (read.seen < seq) return again(behindMs, 'this node is behind');
    return bringUpToDate(read.told);
  };

  async function bringUpToDate(told: Told): Promise<Outcome> {
    const key = `${channel.kind}.${told.agent}.${told.actionId}`;
    const known = await ledger.get(key);
    if (known && known.entry.until > Date.now()) return again(takenMs, 'somebody is at it');
    // Who asks for names reads for seconds. What was seen to be over meanwhile is not begun any more.
    if (known && (known.entry.seen ?? 0) > told.version) return again(behindMs, 'somebody has seen more');
    const wanted = targetsOf(told);
    const plan = (slots: Slots) => planOf(slots, told, { wanted, now: Date.now() });

    const before = known?.entry.slots ?? {};
    const { slots: staying, left } = queue.leave(before, plan(before));
    const { slots, taken } = await queue.join(staying, plan(staying));
    const due = plan(slots).filter(({ waitMs }) => waitMs <= 0);
    const until = due.length > 0 ? Date.now() + heldMs : 0;
    const isNews = due.length > 0 || left.length > 0 || (!known && told.ended) || !isSame(slots, before);
    if (isNews) {
      const entry = { until, seen: told.version, slots: withBegun(slots, due) };
      const revision = await ledger.put(key, entry, known?.revision ?? 0, keptUntil(entry, told));
      await queue.giveBack(revision === false ? taken : left);
      if (revision === false) return again(takenMs, 'somebody is at it');
      const held: Held = { key, slots: entry.slots, revision, until };
      if (!(await doAll(due, told, held))) return again(takenMs, 'somebody is at it');
      Object.assign(slots, held.slots);
    }
    const waits = plan(slots).map(({ waitMs }) => waitMs);
    if (waits.length === 0) return done;
    return again(Math.max(1, Math.min(lookAgainMs, ...waits)), 'not due yet');
  }

  /**
   * An entry in which nothing is left to be done is needed no longer than an event may come again. Without one nothing
   * would be sent, unless the policy wants somebody to hear of the end: they would hear of it twice, so that stays.
   */
  function keptUntil({ slots, until }: CardsEntry, told: Told): Date | undefined {
    const wanted = targetsOf(told);
    const isNeeded = !told.ended || until > 0 || wanted.length > 0;
    if (isNeeded || planOf(slots, told, { wanted, now: Date.now() }).length > 0) return undefined;
    return new Date(Date.now() + endedKeptMs);
  }

  /** False when somebody thought that we had died, and goes on from what was written down. */
  async function doAll(due: readonly Step[], told: Told, held: Held): Promise<boolean> {
    for (const [n, step] of due.entries()) {
      // A process that was stopped for a while goes on from where others have been since.
      if (Date.now() >= held.until) return false;
      const { slot, left } = await doStep(step, told);
      held.slots[step.target] = slot;
      held.until = n === due.length - 1 ? 0 : Date.now() + heldMs;
      const entry = { until: held.until, seen: told.version, slots: held.slots };
      const revision = await ledger.put(held.key, entry, held.revision, keptUntil(entry, told));
      if (revision === false) return false;
      held.revision = revision;
      if (left) await queue.giveBack([left]);
    }
    return true;
  }
}

/** Nobody knows from here on whether it was sent, until it is written down. */
function withBegun(slots: Slots, due: readonly Step[]): Slots {
  const sending = due.filter(({ what }) => what === 'send');
  const now = Date.now();
  return { ...slots, ...Object.fromEntries(sending.map(({ target, slot }) => [target, begun(slot, now)])) };
}

function isSame(slots: Slots, before: Slots): boolean {
  const targets = Object.keys(slots);
  return (
    targets.length === Object.keys(before).length &&
    targets.every(
      (target) =>
        slots[target]?.turn === before[target]?.turn && slots[target]?.until === before[target]?.until,
    )
  );
}

const again = (afterMs: number, reason: string): Outcome => ({ outcome: 'retry', afterMs, reason });
