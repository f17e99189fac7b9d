import type { Delivery } from '../channel.ts';
import type { Turns } from '../turns.ts';

/** Why a vendor did not take something, in words for whoever runs Placet, and whether it can be tried again. */
export type VendorFailure =
  | { kind: 'limited'; retryAfterMs: number; reason: string }
  | { kind: 'passing'; retryAfterMs?: number; reason: string }
  | { kind: 'lasting'; reason: string };

/** Whatever a vendor asks for: it is asked again after a quarter of an hour at the latest. */
const restMsMax = 900_000;

/** What the flow makes of it. Where a place takes no more for a while, nobody's turn comes before that. */
export function deliveryOf(
  failure: VendorFailure,
  { turns, place }: { turns: Turns; place: string },
): Exclude<Delivery, { outcome: 'delivered' }> {
  const { reason } = failure;
  switch (failure.kind) {
    case 'limited': {
      const retryAfterMs = Math.min(failure.retryAfterMs, restMsMax);
      turns.rest(place, Date.now() + retryAfterMs);
      return { outcome: 'retry', reason, retryAfterMs, isLimited: true };
    }
    case 'passing':
      return {
        outcome: 'retry',
        reason,
        ...(failure.retryAfterMs === undefined
          ? {}
          : { retryAfterMs: Math.min(failure.retryAfterMs, restMsMax) }),
      };
    case 'lasting':
      return { outcome: 'failed', reason };
    default:
      return failure satisfies never;
  }
}
