import { durationMs, setting } from '@placet/runtime';

export const decisionsSettings = {
  sweepAfterMs: setting(
    'PLACET_SWEEP_AFTER',
    durationMs('5m', '1s', '1d'),
    'After this time a request without a verdict is denied.',
    '5m',
  ),
};
export type DecisionsConfig = { sweepAfterMs: number };
