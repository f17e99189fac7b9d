import { cpus } from 'node:os';
import { createCaller } from './http.ts';
import { barePublish, bareRoute } from './limits.ts';
import { load, type Sample, summarise, table } from './measure.ts';
import { type Program, startProgram } from './program.ts';

/**
 * One run, one table. Times are of this machine at this moment; compare within a run, by the ratios.
 * `npm run bench -- --quick` takes a tenth of the samples; with `--check` it fails where a promise is not kept.
 */
const scale = process.argv.includes('--quick') ? 0.1 : 1;
const many = (n: number) => Math.max(20, Math.round(n * scale));
const natsServer = process.env['NATS_SERVER'] ?? 'nats-server';

type Row = { what: string; p50: number; p99: number; 'a second': string; 'of bare publish': string };

async function checks(program: Program, callers: number, total: number) {
  const caller = createCaller(program.url, program.agentKey);
  const one = async () =>
    void (await caller.call('/v1/check', { action_name: 'read', payload: { amount: 12 } }));
  try {
    await load(callers, many(200), one);
    return await load(callers, many(total), one);
  } finally {
    caller.close();
  }
}

/** From the moment the vote is sent until the agent, which waits with `?wait=30`, has its answer. */
async function voteToAnswer(program: Program, total: number): Promise<Sample> {
  const agent = createCaller(program.url, program.agentKey);
  const person = createCaller(program.url, program.personToken);
  const times: number[] = [];
  try {
    for (let n = 0; n < many(total) + 20; n++) {
      const asked = (await agent.call('/v1/check', { action_name: 'pay' })) as { action_id: string };
      let answered = 0;
      const waiting = agent.call(`/v1/check/${asked.action_id}?wait=30`).then((answer) => {
        answered = performance.now();
        return answer as { decision: string };
      });
      // The waiting caller has to be there first: an answer to any later request means that it was taken.
      await agent.call(`/v1/check/${asked.action_id}`);
      const sent = performance.now();
      await person.call(`/v1/approvals/${asked.action_id}/votes`, { vote: 'approve' });
      const { decision } = await waiting;
      if (decision !== 'allowed') throw new Error(`an approved action was ${decision}`);
      if (n >= 20) times.push(answered - sent);
    }
    return summarise(times);
  } finally {
    agent.close();
    person.close();
  }
}

const rows: Row[] = [];
for (const syncAlways of [true, false]) {
  const sync = syncAlways ? 'fsync on every write' : "the broker's default sync";
  const publish = await barePublish(natsServer, syncAlways, many(2000));
  const add = (what: string, sample: Sample & { perSecond?: number }) =>
    rows.push({
      what: `${what}; ${sync}`,
      p50: sample.p50,
      p99: sample.p99,
      'a second': sample.perSecond === undefined ? '' : sample.perSecond.toFixed(0),
      'of bare publish': `${(sample.p50 / publish.p50).toFixed(1)} x`,
    });
  add('a bare JetStream publish', publish);
  const program = await startProgram({ PLACET_SYNC_ALWAYS: String(syncAlways) });
  try {
    console.error(`started in ${program.startMs.toFixed(0)} ms; measuring with ${sync} …`);
    for (const [callers, total] of [
      [1, 1000],
      [8, 3000],
      [64, 8000],
    ] as const) {
      add(`check, automatic, ${callers} callers`, await checks(program, callers, total));
    }
    add('vote to answer', await voteToAnswer(program, 500));
  } finally {
    await program.close();
  }
}
const route = await bareRoute(many(2000));
rows.push({
  what: 'a bare fastify route',
  p50: route.p50,
  p99: route.p99,
  'a second': '',
  'of bare publish': '',
});

process.stdout.write(
  `Milliseconds; ${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.version}\n\n`,
);
process.stdout.write(`${table(rows)}\n`);

/** What was promised of two cores: from the vote to the waiting agent's answer, half of them within this. */
const voteToAnswerMsMax = 10;
const slow = rows.filter(({ what, p50 }) => what.startsWith('vote to answer') && p50 > voteToAnswerMsMax);
if (process.argv.includes('--check') && slow.length > 0) {
  console.error(`vote to answer: the median is over ${voteToAnswerMsMax} ms`);
  process.exitCode = 1;
}
