import { explain, stopOnSignals } from '@placet/runtime';
import { readOptions } from '../test/faults/options.ts';
import { reportJson, reportText, runFaults } from '../test/faults/run.ts';

/**
 * `npm run faults -- --minutes 5 --seed 1`: real services and brokers under load, to which things are done. What
 * everybody was told is then held against the stream, the stores and the record. docs/faults.md says more.
 */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const natsServer = process.env['NATS_SERVER'] ?? 'nats-server';
  const releases: (() => Promise<void> | void)[] = [];
  const release = async () => {
    for (let one = releases.pop(); one; one = releases.pop()) await one();
  };
  stopOnSignals(release);
  const say = (line: string) => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  say(`seed ${options.seed}, ${options.durationMs / 1000} s`);
  try {
    const report = await runFaults({ ...options, natsServer, say, releases });
    process.stdout.write(options.json ? `${reportJson(report, options)}\n` : reportText(report, options));
    process.exitCode = report.findings.some(({ violations }) => violations.length > 0) ? 1 : 0;
  } finally {
    await release();
  }
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
