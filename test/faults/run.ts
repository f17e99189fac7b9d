import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideMongo } from '@placet/cluster';
import { type Arrangement, startOneNode, startThreeNodes } from './arrangement.ts';
import { detailsText } from './details.ts';
import type { FaultsOptions } from './options.ts';
import { type Phase, runPhase } from './phase.ts';
import { checkRules, type Finding, together } from './rules/index.ts';
import { answerCounts, faultCounts, longestGapMs, phaseText, rulesText } from './summary.ts';

/** The cluster has most of the time: there is more that can fail. */
const shareOfCluster = 0.65;
const sweepAfterMs = 6000;

export type Report = { phases: Phase[]; findings: Finding[]; isKept: boolean };

type Context = FaultsOptions & {
  natsServer: string;
  say: (line: string) => void;
  /** Released last in, first out, whatever ends the program. */
  releases: (() => Promise<void> | void)[];
};

/** Both arrangements, one after the other, each with its load and faults; then the rules. */
export async function runFaults(context: Context): Promise<Report> {
  const { natsServer, releases, durationMs } = context;
  const dir = mkdtempSync(join(tmpdir(), 'placet-faults-'));
  let isKept = true;
  releases.push(() => {
    if (isKept) context.say(`the logs are kept in ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  });
  const mongo = await provideMongo();
  releases.push(() => mongo.stop());
  const clusterMs = Math.round(durationMs * shareOfCluster);
  const phases = [
    await phase(context, 'Three brokers, two of each service, MongoDB', clusterMs, () =>
      startThreeNodes(join(dir, 'three-nodes'), natsServer, mongo),
    ),
    await phase(context, 'One broker, SQLite', durationMs - clusterMs, () =>
      startOneNode(join(dir, 'one-node'), natsServer),
    ),
  ];
  const findings = together(phases.map(({ evidence }) => checkRules(evidence, { sweepAfterMs })));
  isKept = findings.some(({ violations }) => violations.length > 0);
  return { phases, findings, isKept };
}

async function phase(
  { seed, say, releases }: Context,
  name: string,
  durationMs: number,
  start: () => Promise<Arrangement>,
): Promise<Phase> {
  say(`${name}: starting`);
  const arrangement = await start();
  releases.push(() => arrangement.stop());
  const done = await runPhase(name, arrangement, { seed, durationMs, say });
  releases.pop();
  await arrangement.stop();
  return done;
}

export function reportText({ phases, findings }: Report, { seed, durationMs }: FaultsOptions): string {
  const details = detailsText(findings, phases);
  return `Seed ${seed}, ${durationMs / 1000} s.

${phases.map(phaseText).join('\n')}
${rulesText(findings)}
${details === '' ? '' : `\n${details}\n`}`;
}

export function reportJson({ phases, findings }: Report, { seed, durationMs }: FaultsOptions): string {
  const shown = phases.map((one) => ({
    name: one.name,
    faults: Object.fromEntries(faultCounts(one)),
    planned: one.planned,
    answers: Object.fromEntries(answerCounts(one.evidence.notes)),
    events: one.evidence.stream.length,
    failed_starts: one.failedStarts,
    longest_gap_ms: longestGapMs(one),
  }));
  return JSON.stringify({ seed, seconds: durationMs / 1000, phases: shown, rules: findings });
}
