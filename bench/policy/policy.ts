import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from '@marcbachmann/cel-js';
import { compileLayer, evaluate, type Layer, parsePolicy } from '@placet/policy';
import { summarise, table } from '../measure.ts';

const rulesCount = 200;
const p50MaxUs = 50;
const p99MaxUs = 300;
const growthMax = 1.2;

const conditionOf = (n: number) =>
  `payload.amount < ${n}.0 && agent.id == "support" && payload.customer.startsWith("c-")`;

/** Rules as a deployment has them: some for each of many actions, each with a condition. */
export const policyOf = (actionOf: (n: number) => string, conditionFor = conditionOf): string => {
  const rules = Array.from(
    { length: rulesCount },
    (_, n) => `  - { action: "${actionOf(n)}", when: '${conditionFor(n)}', decide: allow }`,
  );
  return `version: 1\nrules:\n${rules.join('\n')}\ndefault: require_approval\n`;
};

const layerOf = (actionOf: (n: number) => string): Layer => {
  const parsed = parsePolicy(policyOf(actionOf));
  if (!parsed.ok) throw new Error('the policy of the benchmark is refused');
  return { scope: 'default', digest: 'd', revision: 1, policy: parsed.policy };
};

/** No condition holds, so that every rule that can match is evaluated. */
const request = { payload: { amount: 500, customer: 'c-17', items: [1, 2, 3] }, agent: { id: 'support' } };

type Row = { what: string; p50: number; p99: number };

/** What one judgement costs, without the broker and without a process in between. */
export function measurePolicy(scale: number): { text: string; missed: string[] } {
  const [some, all] = [layerOf((n) => `area${n % 40}.*`), layerOf(() => '*')].map(compileLayer);
  if (!some || !all) throw new Error('there are two layers');
  const facts = (n: number) => ({
    action: `area${n % 40}.create`,
    payload: request.payload,
    agent: { name: 'support', owner: 'ann@example.com' },
    context: {},
    now: new Date(),
  });
  const other = Array.from({ length: rulesCount }, (_, n) => parse(conditionOf(n)));
  const rows: Row[] = [
    timed('a policy of 200 rules, 5 of them for the action', 50_000 * scale, (n) =>
      evaluate([some], facts(n)),
    ),
    timed('a policy of 200 rules, all of them for the action', 5_000 * scale, (n) =>
      evaluate([all], facts(n)),
    ),
    timed('the 200 conditions alone, by @marcbachmann/cel-js', 5_000 * scale, () => {
      for (const condition of other) condition(request);
    }),
  ];
  const before = heapUsed();
  for (let n = 0; n < 500_000 * scale; n++) evaluate([some], facts(n));
  const growth = heapUsed() / before;
  const [first] = rows as [Row];
  const missed = [
    ...(first.p50 > p50MaxUs
      ? [`a judgement, median, is at most ${p50MaxUs} µs, and it was ${first.p50}`]
      : []),
    ...(first.p99 > p99MaxUs
      ? [`a judgement, 99 of 100, is at most ${p99MaxUs} µs, and it was ${first.p99}`]
      : []),
    ...(growth > growthMax ? [`the heap grew to ${growth.toFixed(2)} of what it was`] : []),
  ];
  const text = [
    table(
      ['microseconds', 'p50', 'p99'],
      rows.map(({ what, p50, p99 }) => [what, p50, p99]),
    ),
    `Heap in use after ${500_000 * scale} more judgements: ${(growth * 100).toFixed(0)} % of what it was.`,
  ].join('\n\n');
  return { text, missed };
}

function timed(what: string, count: number, work: (n: number) => unknown): Row {
  for (let n = 0; n < count / 5; n++) work(n);
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const began = performance.now();
    work(n);
    times.push((performance.now() - began) * 1000);
  }
  return { what, ...summarise(times) };
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
