import { parseArgs } from 'node:util';
import type { Shape } from './placet/shapes.ts';

export type BenchOptions = {
  natsServer: string;
  /** Of the samples; `--quick` takes a tenth. */
  scale: number;
  check: boolean;
  heap: boolean;
  policy: boolean;
  backtest: boolean;
  change: boolean;
  approvals: boolean;
  rebuild: boolean;
  channels: boolean;
  /** Whether the tables go into the document. */
  document: boolean;
  shapes: Shape[];
  syncs: boolean[];
  /** Where the profiles of the services go. */
  profileDir: string | undefined;
};

export const usage = `npm run bench -- [--quick] [--check] [--shape one|five] [--sync always|default] [--profile DIR] [--document]
npm run bench -- --heap [--quick] [--document]
npm run bench -- --policy [--quick] [--document]
npm run bench -- --backtest [--quick] [--document]
npm run bench -- --change [--quick] [--document]
npm run bench -- --approvals [--quick] [--document]
npm run bench -- --rebuild [--quick] [--document]
npm run bench -- --channels [--quick] [--document]

  --quick    a tenth of the samples
  --check    fails when a promise is missed
  --shape    Placet in one process, or in five; both, if not said
  --sync     the broker writes to the disk before it confirms, or later; both, if not said
  --profile  writes a CPU profile of each process into this directory, and what it spent its time with
             (use one shape and one sync)
  --heap     instead: the memory of each service after 20,000 checks and after 200,000
  --policy   instead: what one judgement costs, beside another engine for the conditions
  --backtest instead: how long it takes to judge 100,000 requests of the record anew
  --change   instead: how long an old policy still decides after a change, at three instances under load
  --approvals instead: lists, the clock, memory and a restart with 100,000 approvals that are open
  --rebuild  instead: whether a store that is built anew from 10,000 random histories is the same
  --channels instead: how soon an approval stands in Slack, and the agent knows what was clicked
  --document puts the tables into docs/performance.md`;

export function readOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      heap: { type: 'boolean', default: false },
      policy: { type: 'boolean', default: false },
      backtest: { type: 'boolean', default: false },
      change: { type: 'boolean', default: false },
      approvals: { type: 'boolean', default: false },
      rebuild: { type: 'boolean', default: false },
      channels: { type: 'boolean', default: false },
      document: { type: 'boolean', default: false },
      shape: { type: 'string' },
      sync: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  return {
    natsServer: process.env['NATS_SERVER'] ?? 'nats-server',
    scale: values.quick ? 0.1 : 1,
    check: values.check,
    heap: values.heap,
    policy: values.policy,
    backtest: values.backtest,
    change: values.change,
    approvals: values.approvals,
    rebuild: values.rebuild,
    channels: values.channels,
    document: values.document,
    shapes: chosen(values.shape, { one: 'one', five: 'five' }),
    syncs: chosen(values.sync, { always: true, default: false }),
    profileDir: values.profile,
  };
}

/** The one that was named, or all. */
function chosen<T>(name: string | undefined, choices: Record<string, T>): T[] {
  if (name === undefined) return Object.values(choices);
  if (!Object.hasOwn(choices, name))
    throw new Error(`"${name}" is none of ${Object.keys(choices).join(', ')}`);
  return [choices[name] as T];
}
