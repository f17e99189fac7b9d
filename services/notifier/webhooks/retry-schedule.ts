const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const jitter = 0.2;

/** Of the attempts one after another, each counted from the one before it (Standard Webhooks). */
const delaysMs = [
  0,
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
] as const;

/**
 * How long to wait after the given attempt (the first is 1) has failed; null is to give up. `random` is
 * from 0 to 1, and spreads the delay by a fifth either way.
 */
export function retryDelayMs(attempt: number, random: number): number | null {
  const delayMs = delaysMs[attempt];
  return delayMs === undefined ? null : Math.round(delayMs * (1 - jitter + 2 * jitter * random));
}
