import type { Refused } from '../send-result.ts';

/** Why a vendor did not take something, in words for whoever runs Placet, and whether it can be tried again. */
export type VendorFailure =
  | { kind: 'limited'; retryAfterMs: number; reason: string }
  | { kind: 'passing'; retryAfterMs?: number; reason: string }
  | { kind: 'lasting'; reason: string };

/** Whatever a vendor asks for: it is asked again after a quarter of an hour at the latest. */
const restMsMax = 900_000;

/** What the flow makes of it. */
export function refusedBy(failure: VendorFailure): Refused {
  const { reason } = failure;
  switch (failure.kind) {
    case 'limited':
      return {
        outcome: 'retry',
        reason,
        retryAfterMs: Math.min(failure.retryAfterMs, restMsMax),
        isLimited: true,
      };
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
