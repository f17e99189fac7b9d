import type { CardChannel } from './card-channel.ts';
import type { Hand } from './hand.ts';
import type { CardsEntry, Slot } from './ledger.ts';
import type { Place } from './pace.ts';
import type { Step } from './plan.ts';
import type { Told } from './told.ts';

/** So much is changed in one look; then it may have ended. */
const updatesMax = 20;

type Slots = CardsEntry['slots'];
/** So many who are asked at a place are told too late. */
export type Late = { place: Place; count: number };
type With = { channel: Pick<CardChannel, 'placeOf'>; hand: Hand; late: Late | undefined };

/** What one look does, and what it leaves: until there is a turn for it, or for the next look. */
export async function deal(
  steps: readonly Step[],
  told: Told,
  { channel, hand, late }: With,
): Promise<{ due: Step[]; left: Slots }> {
  const timed = (late ? withLate(steps, late, channel) : steps).filter(({ waitMs }) => waitMs <= 0);
  const placed = timed.map((step) => ({
    step,
    place: isTurnWanted(step, told) ? channel.placeOf(step.target) : null,
  }));
  const free = placed.flatMap(({ step, place }) => (place === null ? [step] : []));
  const due = free.slice(0, updatesMax);
  const waiting: Step[] = [];
  for (const here of Map.groupBy(placed, ({ place }) => place?.name).values()) {
    const place = here[0]?.place ?? null;
    if (place === null) continue;
    // Whom something is asked goes before who is told more.
    const inOrder = here.map(({ step }) => step).toSorted((a, b) => rankOf(a) - rankOf(b));
    const count = await hand.take(place, inOrder.length);
    due.push(...inOrder.slice(0, count).map((step) => ({ ...step, hasTurn: true })));
    waiting.push(...inOrder.slice(count));
  }
  return { due, left: { ...slotsOf(waiting, waitingSlot), ...slotsOf(free.slice(updatesMax), leftSlot) } };
}

/** Of what waits for its turn nothing is done without one, unless there is something new to be shown. */
const isTurnWanted = ({ what, slot }: Step, { version }: Told) =>
  what === 'send' || (what !== 'giveUp' && (slot?.waits ?? -1) >= version);

const rankOf = ({ what }: Step) => (what === 'send' ? 0 : 1);

function withLate(steps: readonly Step[], { place, count }: Late, { placeOf }: With['channel']): Step[] {
  const asks = steps.filter(({ what, target }) => what === 'send' && placeOf(target)?.name === place.name);
  const late = new Set(asks.slice(-count));
  return steps.map((step) => (late.has(step) ? { ...step, what: 'giveUp', waitMs: 0 } : step));
}

export const slotsOf = (steps: readonly Step[], slotOf: (step: Step) => Slot | undefined): Slots =>
  Object.fromEntries(
    steps.flatMap((step): [string, Slot][] => {
      const slot = slotOf(step);
      return slot ? [[step.target, slot]] : [];
    }),
  );

const waitingSlot = ({ slot }: Step): Slot => slot ?? { status: 'waiting', attempts: 0, at: Date.now() };

/** Not shown yet, and due. */
const leftSlot = ({ slot }: Step): Slot | undefined => slot && { ...slot, until: Date.now() };
