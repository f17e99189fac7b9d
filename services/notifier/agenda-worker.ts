import { cardsBucket } from '@placet/events';
import { type BusContext, type RaiseAlarm, type Resources, sleep } from '@placet/runtime';
import { createAttempts } from './agenda-attempts.ts';
import type { CardChannel } from './card-channel.ts';
import type { Cards } from './cards.ts';
import type { Taken } from './hand.ts';
import { CardsEntry } from './ledger.ts';
import { followLedger } from './ledger-follow.ts';
import { inOrder, lateOnes, queueOf, type Waiting } from './order.ts';
import type { Place } from './pace.ts';
import type { Turns } from './turns.ts';

/** What others have written down is seen after so long. */
const followEveryMs = 500;
const concurrency = 16;
/** Of so many approvals one can use a turn that there is; otherwise it is given back. */
const triesMax = 5;
const stopWithinMs = 2000;
/** Where no turn can be written down. */
const pauseMs = 1000;
/** However much happens, the agenda is not looked through more often. */
const restMs = 5;

type Parts = {
  context: BusContext;
  alarm: RaiseAlarm;
  resources: Resources;
  turns: Turns;
  channel: CardChannel;
  cards: Cards;
};

/**
 * Does what is on the agenda: each thing when its time has come, and at each place one after the other in the order that
 * is fair. What waits does so in the ledger and not in the broker's consumer, which would stop for all places once it
 * waited for too many acknowledgements.
 */
export function workOff({ context, alarm, resources, turns, channel, cards }: Parts): void {
  const { agenda } = cards;
  const { isFree, goOn, forgetOthers } = createAttempts({ context, alarm, kind: channel.kind }, cards);
  const ledger = { bucket: cardsBucket, prefix: channel.kind, schema: CardsEntry } as const;
  const follow = followLedger(context, ledger, agenda.learn);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  /** Where a turn is being taken, or could not be. */
  const taking = new Set<string>();
  let wake = () => {};
  agenda.onChange(() => wake());

  function start(work: () => Promise<void>): void {
    const one = work()
      .catch((error: unknown) => context.logger.warn({ err: error }, 'what waits for its turn waits longer'))
      .finally(() => {
        running.delete(one);
        wake();
      });
    running.add(one);
  }

  /** Whose turn it is sends; who cannot use it now leaves it to the next. */
  async function serve(place: Place, order: readonly Waiting[]): Promise<void> {
    const [first] = order;
    if (!first) return;
    const grant = await turns.take(place, queueOf(first), first.count).catch(async (error: unknown) => {
      await sleep(pauseMs, stopping.signal);
      taking.delete(place.name);
      throw error;
    });
    taking.delete(place.name);
    if (grant === null) return;
    const given: Taken = { grant, left: grant.count };
    for (const { key } of order) {
      await goOn(key, { given });
      if (given.left < grant.count) break;
    }
    if (given.left > 0) await turns.giveBack(grant, given.left);
  }

  /** Answers when there is something to be done here next. */
  function lookAt(place: Place, now: number): number {
    const { freeAt, served } = turns.seen(place);
    if (freeAt > now) return freeAt;
    if (taking.has(place.name) || running.size >= concurrency) return Number.POSITIVE_INFINITY;
    const waiting = agenda
      .waitingAt(place, now)
      .filter(({ key, agent }) => isFree(key, now) && !cards.isCrowded(agent));
    if (waiting.length > 0) {
      taking.add(place.name);
      start(() => serve(place, firstOf(inOrder(waiting, { place, served, now }))));
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Whose turn comes after the deadline is told so now, so that somebody else can be asked. */
  function giveUpLate(now: number): void {
    for (const place of agenda.places()) {
      const waiting = agenda.waitingAt(place, now).filter(({ key }) => isFree(key, now));
      for (const { one, count } of lateOnes(waiting, { place, now, ...turns.seen(place) })) {
        const { key, revision } = one;
        if (running.size < concurrency) start(() => goOn(key, { late: { place, count, revision } }));
      }
    }
  }

  function look(now: number): number {
    context.metrics.waitingMessages.set({ channel: channel.kind }, agenda.size());
    let next = now + followEveryMs;
    for (const [key, { due, agent }] of agenda.all()) {
      if (due > now) next = Math.min(next, due);
      else if (isFree(key, now) && !cards.isCrowded(agent) && running.size < concurrency)
        start(() => goOn(key));
    }
    for (const place of agenda.places()) next = Math.min(next, lookAt(place, now));
    return next;
  }

  const looking = (async () => {
    let followedAt = 0;
    while (!stopping.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      let next = Date.now() + followEveryMs;
      try {
        if (Date.now() >= followedAt + followEveryMs) {
          await follow();
          followedAt = Date.now();
          giveUpLate(followedAt);
          forgetOthers();
        }
        next = look(Date.now());
      } catch (error) {
        context.logger.warn({ err: error }, 'what waits for its turn cannot be read now');
        await sleep(followEveryMs, stopping.signal);
      }
      await Promise.race([woken, sleep(Math.max(1, next - Date.now()), stopping.signal)]);
      await sleep(restMs, stopping.signal);
    }
  })();

  resources.add(`agenda of ${channel.kind}`, async () => {
    stopping.abort();
    await looking;
    await Promise.race([Promise.all(running), sleep(stopWithinMs)]);
  });
}

function firstOf(order: Iterable<{ one: Waiting }>): Waiting[] {
  const first = new Set<Waiting>();
  for (const { one } of order) {
    first.add(one);
    if (first.size === triesMax) break;
  }
  return [...first];
}
