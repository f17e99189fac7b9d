import type { BusContext } from '@placet/runtime';
import type { CardChannel, Found, Sent, Updated } from './card-channel.ts';
import type { Hand } from './hand.ts';
import type { Slot } from './ledger.ts';
import type { Step } from './plan.ts';
import type { Refused, SendResult } from './send-result.ts';
import { createSetbacks, type Here, limitedMs, notificationOf } from './setbacks.ts';
import type { Tell } from './tell.ts';
import type { Told } from './told.ts';
import type { Turns } from './turns.ts';

/** So long a step goes on with another message. */
const stepMsMax = 10_000;

type StepParts = {
  context: BusContext;
  tell: Tell;
  turns: Turns;
  channel: CardChannel;
  targetsOf: (told: Told) => string[];
};

/** Does what was planned at one place. This throws only where the broker is away. */
export function createSteps({ context, tell, turns, channel, targetsOf }: StepParts) {
  const setbacks = createSetbacks({ context, tell, kind: channel.kind });
  const { notYet, unsettled, refusedUpdate } = setbacks;

  return async ({ target, slot, what, hasTurn }: Step, told: Told, hand: Hand): Promise<Slot> => {
    const here: Here = { target, slot, told, hand, startedAt: Date.now(), turns: hasTurn ? 1 : 0 };
    switch (what) {
      case 'send':
        return send({ ...here, slot: begun(slot, told, Date.now()) });
      case 'find':
        return find(here);
      case 'update':
        return update(here, slot?.handle ?? '');
      case 'giveUp':
        return slot?.status === 'sending'
          ? unsettled(here, slot.error ?? 'nobody knows whether it was sent')
          : setbacks.givenUp(here, { error: tooLateText(slot) });
      default:
        return what satisfies never;
    }
  };

  async function send(here: Here): Promise<Slot> {
    const { target, told, mayStand = false } = here;
    const sent = await attempt(() => channel.send(target, told));
    if (sent.outcome === 'delivered') {
      await tellSent(here);
      return shown(told, sent.handle);
    }
    await restAfter(sent, target);
    // What was refused was not sent; of everything else nobody knows.
    const isRefused = sent.outcome === 'failed' || sent.isLimited === true;
    return notYet(here, { refused: sent, status: isRefused && !mayStand ? 'waiting' : 'sending' });
  }

  /** Its sender died, or got no answer. */
  async function find(here: Here): Promise<Slot> {
    const { target, slot, told } = here;
    const since = slot ?? begun(undefined, told, Date.now());
    const at: Here = { ...here, slot: since };
    const first = { at: since.begun ?? since.at, version: since.version ?? told.version };
    const found = await attempt(() => channel.find(target, told, first));
    if (found.outcome === 'retry' || found.outcome === 'failed') {
      return notYet(at, { refused: found, status: 'sending' });
    }
    if (found.outcome === 'looked' && found.handle !== null) {
      await tellSent(at);
      return update(at, found.handle);
    }
    const isUnseen = found.outcome === 'unseen';
    // By now there is nothing to decide.
    const isOver = told.ended !== null && !targetsOf(told).includes(target);
    if (isOver) return isUnseen ? unsettled(at, found.reason) : withdraw(at);
    // It is looked for again when it is its turn.
    if (!(await isTurn(at))) {
      const { until: _, ...waiting } = since;
      return { ...waiting, waits: told.version };
    }
    if (isUnseen && told.ended) await setbacks.tellUnsettled(at, found.reason);
    // Once more is better than never.
    return send({ ...at, mayStand: isUnseen || channel.withdraw !== undefined });
  }

  /** Not after what took so long that somebody might think us dead before it is sent. */
  async function isTurn(here: Here): Promise<boolean> {
    if (Date.now() > here.startedAt + stepMsMax) return false;
    if (here.turns > 0) {
      here.turns -= 1;
      return true;
    }
    const place = channel.placeOf(here.target);
    return place === null || (await here.hand.take(place, 1)) > 0;
  }

  async function withdraw(here: Here): Promise<Slot> {
    const { target, told } = here;
    const result = await attempt(
      async (): Promise<SendResult> => channel.withdraw?.(target, told) ?? { outcome: 'delivered' },
    );
    if (result.outcome !== 'delivered') return notYet(here, { refused: result, status: 'sending' });
    return { status: 'failed', attempts: 0, at: Date.now(), error: 'it ended before it was sent' };
  }

  async function update(here: Here, handle: string): Promise<Slot> {
    const { target, slot, told } = here;
    const result = await attempt(() => channel.update(handle, target, told, () => isTurn(here)));
    const stood = { handle, version: slot?.version ?? 0 };
    switch (result.outcome) {
      case 'delivered':
        return shown(told, result.handle);
      case 'waits':
        return { ...shown(told, result.handle), version: stood.version, waits: told.version };
      case 'retry': {
        await restAfter(result, target);
        const reached = result.handle ?? handle;
        // The rest is for what is said next. How it ends is shown without a turn.
        if (result.isLimited && result.handle !== undefined)
          return { ...shown(told, reached), version: stood.version, waits: told.version };
        return setbacks.isLast(here, result)
          ? refusedUpdate(here, { error: result.reason, stood: { ...stood, handle: reached } })
          : { ...(await notYet(here, { refused: result, status: 'shown' })), ...stood, handle: reached };
      }
      case 'failed':
        return refusedUpdate(here, { error: result.reason, stood });
      default:
        return result satisfies never;
    }
  }

  /** Before it is written down: telling twice is once. */
  async function tellSent({ target, slot, told }: Here): Promise<void> {
    await tell.sent(notificationOf(told, target, (slot?.attempts ?? 0) + 1));
    context.metrics.notifications.inc({ channel: channel.kind, result: 'sent' });
  }

  /** Where a place takes no more for a while, nobody's turn there comes before that. */
  async function restAfter(refused: Refused, target: string): Promise<void> {
    const place = channel.placeOf(target);
    if (place === null || refused.outcome !== 'retry' || !refused.isLimited) return;
    await turns.rest(place, Date.now() + Math.max(limitedMs, refused.retryAfterMs ?? 0));
  }
}

function tooLateText(slot: Slot | undefined): string {
  const text = 'its turn comes after the deadline';
  return slot?.error === undefined ? text : `${slot.error}; ${text}`;
}

/** A vendor's own code may throw anything: that is no reason to do it again at once. */
async function attempt<R extends Sent | Updated | SendResult | Found>(
  one: () => Promise<R>,
): Promise<R | Refused> {
  try {
    return await one();
  } catch (error) {
    return { outcome: 'retry', reason: error instanceof Error ? error.message : String(error) };
  }
}

export const begun = (slot: Slot | undefined, { version }: Told, now: number): Slot => ({
  status: 'sending',
  attempts: slot?.attempts ?? 0,
  at: now,
  begun: now,
  version,
});

const shown = ({ version }: Told, handle: string): Slot => ({
  status: 'shown',
  attempts: 0,
  at: Date.now(),
  handle,
  version,
});
