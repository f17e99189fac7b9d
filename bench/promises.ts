import { type Measurement, type Run, shareOfChain } from './report.ts';

/** What is promised of two cores with everything on one machine; in words, where it is missed. */
export function missedPromises({ measurements }: Run): string[] {
  return measurements.flatMap((measurement) => {
    const { shape, syncAlways } = measurement;
    const promises = [...always(measurement), ...(shape === 'five' && !syncAlways ? fast(measurement) : [])];
    return promises.flatMap(({ what, value, kept }) =>
      kept
        ? []
        : [`${shape}, ${syncAlways ? 'fsync' : 'default sync'}: ${what}, and it was ${value.toFixed(2)}`],
    );
  });
}

type Promised = { what: string; value: number; kept: boolean };

const atMost = (what: string, value: number, max: number): Promised => ({
  what: `${what} is at most ${max}`,
  value,
  kept: value <= max,
});
const atLeast = (what: string, value: number, min: number): Promised => ({
  what: `${what} is at least ${min}`,
  value,
  kept: value >= min,
});

function always({ result }: Measurement): Promised[] {
  return [
    atMost('vote to answer, median, ms', result.votes.p50, 10),
    atMost('the record is behind after the load, ms', result.recordMs, 2000),
  ];
}

/** With five processes, and the broker's default sync. */
function fast({ result, limits }: Measurement): Promised[] {
  const [alone, many] = [result.checks.get(1), result.checks.get(64)];
  return [
    atMost('a check with one caller, median, ms', alone?.p50 ?? Number.NaN, 1.5),
    atLeast('checks a second with 64 callers', many?.perSecond ?? Number.NaN, 3000),
    atMost('a check with 64 callers, 99 of 100, ms', many?.p99 ?? Number.NaN, 60),
    atLeast('checks of what the bare chain does', shareOfChain(result, limits.chain, 64), 0.4),
  ];
}
