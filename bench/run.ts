import { stopOnSignals } from '@placet/runtime';
import { measureApprovals } from './approvals/approvals.ts';
import { measureRebuild } from './approvals/rebuild.ts';
import { measureChannels } from './channels/channels.ts';
import { type Load, startLoad } from './children.ts';
import { writeDocument } from './document.ts';
import { measureHeaps } from './heap/heap.ts';
import { type Amounts, bareChain, barePublish, bareRoute } from './limits/limits.ts';
import { type BenchOptions, readOptions, usage } from './options.ts';
import { measurePlacet } from './placet/measure-placet.ts';
import { measureBacktest } from './policy/backtest.ts';
import { measureChange } from './policy/change.ts';
import { measurePolicy } from './policy/policy.ts';
import { profilerArgs, profileText } from './profile.ts';
import { missedPromises } from './promises.ts';
import { type Measurement, processNames, type Run, reportText } from './report.ts';

const callers = [1, 8, 64] as const;
const totals: Record<number, number> = { 1: 2000, 8: 8000, 64: 20_000 };

const say = (line: string) => void process.stderr.write(`bench: ${line}\n`);

/**
 * One run, one report. Times are of this machine at this moment: compare within a run, by the ratios, and between runs
 * by the CPU that a check took.
 */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const generator = await startLoad();
  // What was started ends with this process, and its files go.
  stopOnSignals(() => generator.close());
  try {
    const { natsServer, scale, document } = options;
    if (options.policy) tell('policy', measurePolicy(scale), document);
    else if (options.backtest)
      tell('backtest', await measureBacktest(natsServer, generator, scale, say), document);
    else if (options.change) tell('change', await measureChange(natsServer, scale, say), document);
    else if (options.approvals) tell('approvals', await measureApprovals(natsServer, scale, say), document);
    else if (options.rebuild) tell('rebuild', await measureRebuild(scale, say), false);
    else if (options.channels) tell('channels', await measureChannels(natsServer, scale, say), document);
    else if (options.heap) tell('heap', await measureHeaps(natsServer, generator, scale, say), document);
    else await speed(options, generator);
  } finally {
    await generator.close();
  }
}

async function speed(options: BenchOptions, generator: Load): Promise<void> {
  const { natsServer, scale, syncs } = options;
  const amount: Amounts = (count) => Math.round((totals[count] ?? 1000) * scale);
  say('a bare route …');
  const run: Run = { route: await bareRoute(generator, [1, 64], amount), measurements: [] };
  for (const syncAlways of syncs) {
    const broker = { natsServer, syncAlways };
    say(`a bare publish and the bare chain, ${syncAlways ? 'fsync on every write' : 'default sync'} …`);
    const publish = await barePublish(broker, [1, 64], amount);
    const chain = await bareChain(broker, generator, callers, amount);
    for (const shape of options.shapes) {
      say(`Placet, ${shape} …`);
      const nodeArgs = profilerArgs(options.profileDir);
      const result = await measurePlacet(shape, { ...broker, nodeArgs }, generator, callers, amount);
      run.measurements.push({ shape, syncAlways, result, limits: { publish, chain } } satisfies Measurement);
    }
  }
  const profile = options.profileDir === undefined ? [] : [profileText(options.profileDir, processNames)];
  const text = [reportText(run), ...profile].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (options.document)
    writeDocument(options.profileDir === undefined ? 'run' : 'profile', profile[0] ?? text);
  const missed = missedPromises(run);
  for (const promise of missed) say(`missed: ${promise}`);
  if (options.check && missed.length > 0) process.exitCode = 1;
}

type Result = { text: string; missed: string[] };

function tell(part: Parameters<typeof writeDocument>[0], { text, missed }: Result, document: boolean): void {
  process.stdout.write(`${text}\n`);
  if (document) writeDocument(part, text);
  for (const promise of missed) say(`missed: ${promise}`);
  if (missed.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  console.error(usage);
  process.exitCode = 1;
});
