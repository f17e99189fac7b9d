import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export type FaultsOptions = { durationMs: number; seed: number; json: boolean };

const durationMsMax = 6 * 3_600_000;
const durationMsMin = 5_000;

/** `--minutes 5 --seed 1 --json`; without them one minute, and a seed that is printed. */
export function readOptions(args: string[]): FaultsOptions {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.minutes !== undefined && values.seconds !== undefined) {
    throw new Error('say --minutes or --seconds, not both');
  }
  const durationMs =
    values.seconds === undefined
      ? numberOf('--minutes', values.minutes ?? '1') * 60_000
      : numberOf('--seconds', values.seconds) * 1000;
  if (durationMs < durationMsMin || durationMs > durationMsMax) {
    throw new Error(`it runs from ${durationMsMin / 1000} seconds to ${durationMsMax / 3_600_000} hours`);
  }
  const seed = values.seed === undefined ? randomInt(2 ** 31) : numberOf('--seed', values.seed);
  return { durationMs, seed, json: values.json };
}

function numberOf(name: string, text: string): number {
  if (!/^\d{1,10}(\.\d{1,3})?$/.test(text)) throw new Error(`${name} is a number, not "${text}"`);
  return Number(text);
}
