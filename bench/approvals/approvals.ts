import { join } from 'node:path';
import { startCluster } from '@placet/cluster';
import { openSqliteOutcomeStore } from '@placet/decisions-service/sqlite-store.ts';
import { createCall } from '../call.ts';
import { load, summarise, table } from '../measure.ts';
import { usageOf } from '../processes.ts';
import { makeWorkspace } from '../workspace.ts';

const openCount = 100_000;
const groups = 10;
const callers = 48;
const looks = 300;
const pageP95Ms = 20;
const sweepP95Ms = 10;
const peakMbMax = 300;
const readyMsMax = 3000;
const lateMsMax = 1000;
const timedCount = 200;
/** As many as the sweep takes at once. */
const dueCount = 2000;

/** Ten groups of people, each asked about an action of its own. */
const policy = `version: 1
rules:
${Array.from({ length: groups }, (_, n) => `  - { action: pay.${n}, decide: require_approval, approvers: ["role:group-${n}"], timeout: 5d, remind: [50%] }`).join('\n')}
  - { action: soon, decide: require_approval, approvers: ["role:group-1"], timeout: 4s, remind: [50%] }
`;

/** 100,000 approvals that are open: what people wait for who look at theirs, and what it costs to keep them. */
export async function measureApprovals(
  natsServer: string,
  scale: number,
  say: (line: string) => void,
): Promise<{ text: string; missed: string[] }> {
  const { dir, remove } = makeWorkspace();
  const data = join(dir, 'data');
  const unlimited = { PLACET_RATE_PER_KEY: '10000000', PLACET_RATE_PER_ADDRESS: '10000000' };
  const cluster = await startCluster({
    natsServer,
    dir: data,
    streams: { PLACET_STREAM_SIZE: '6GB' },
    env: { gateway: unlimited },
  });
  try {
    const url = cluster.of('gateway')[0]?.url ?? '';
    const [decisions] = cluster.of('decisions');
    if (!decisions) throw new Error('no decisions service was started');
    const call = createCall<Json>(url);
    await call(cluster.personToken, 'PUT', '/v1/policies/default', policy);
    const person = { email: 'ann@example.com', roles: ['group-1', 'group-4', 'group-7'] };
    const { token } = await call(cluster.personToken, 'POST', '/v1/people', person);

    const count = Math.round(openCount * scale);
    say(`${count} requests that are held …`);
    const asking = await load(callers, count, async (n) => {
      const payload = { n, customer: `customer ${n}`, amount: n % 1000, note: 'x'.repeat(200) };
      await call(cluster.agentKey, 'POST', '/v1/check', { action_name: `pay.${n % groups}`, payload });
    });
    await untilStored(decisions.url, count);
    say('lists and counts …');
    const looked = async (path: string) => {
      const { times } = await timed(looks, () => call(token, 'GET', path));
      return percentiles(times);
    };
    const page = await looked('/v1/approvals?for=me');
    const first = await call(token, 'GET', '/v1/approvals?for=me');
    const next = await looked(`/v1/approvals?for=me&cursor=${first.next}`);
    const ofAgent = await looked('/v1/approvals?for=me&agent=my-agent&older_than=1s');
    const counts = await looked('/v1/approvals/counts');
    say('steps and deadlines …');
    const late = await lateness(call, cluster);
    const { peakMb } = usageOf({ decisions: decisions.pid() ?? 0 })['decisions'] ?? { peakMb: Number.NaN };

    say('a restart …');
    await decisions.end();
    const sweep = await sweepTimes(join(data, 'decisions.sqlite'));
    const begun = performance.now();
    await decisions.start();
    const readyMs = performance.now() - begun;
    return {
      text: table(
        [`with ${count} open approvals`, 'p50', 'p95', 'at most'],
        [
          ['"waiting for me", the first 50, ms', page.p50, page.p95, pageP95Ms],
          ['the next 50, ms', next.p50, next.p95, pageP95Ms],
          ['of one agent, and older than a second, ms', ofAgent.p50, ofAgent.p95, pageP95Ms],
          ['counts, ms', counts.p50, counts.p95, ''],
          [`the sweep finds ${dueCount} that are due, ms`, sweep.p50, sweep.p95, sweepP95Ms],
          ['a reminder comes late by, ms', late.reminder.p50, late.reminder.p95, lateMsMax],
          ['a deadline is kept late by, ms', late.deadline.p50, late.deadline.p95, lateMsMax],
          ['memory of the decisions service, at its most, MB', peakMb, '', peakMbMax],
          ['ready after a restart, ms', readyMs, '', readyMsMax],
          ['(asked for by 48 callers, a second)', asking.perSecond, '', ''],
        ],
      ),
      missed: [
        ...(page.p95 < pageP95Ms ? [] : [`"waiting for me" has a p95 below ${pageP95Ms} ms`]),
        ...(sweep.p95 < sweepP95Ms ? [] : [`the sweep finds the due ones below ${sweepP95Ms} ms`]),
        ...(Math.max(late.reminder.max, late.deadline.max) < lateMsMax
          ? []
          : ['steps and deadlines are kept to a second']),
        ...(peakMb < peakMbMax ? [] : [`the decisions service takes less than ${peakMbMax} MB`]),
        ...(readyMs < readyMsMax ? [] : [`a restart is ready below ${readyMsMax} ms`]),
      ],
    };
  } finally {
    await cluster.stop();
    remove();
  }
}

type Json = {
  token: string;
  next: string;
  action_id: string;
  deadline: string;
  decided_at: string | null;
  steps: { at: string; done_at: string | null }[];
};
type Call = ReturnType<typeof createCall<Json>>;

/** How late what the clock owes comes, while all the others are open. */
async function lateness(call: Call, keys: { agentKey: string; personToken: string }) {
  const ids = await Promise.all(
    Array.from({ length: timedCount }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, n * 10));
      return (await call(keys.agentKey, 'POST', '/v1/check', { action_name: 'soon', payload: { n } }))
        .action_id;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const seen: Json[] = [];
  for (const id of ids) seen.push(await call(keys.personToken, 'GET', `/v1/approvals/${id}`));
  const lateBy = (at: string | undefined, done: string | null | undefined) =>
    done ? Date.parse(done) - Date.parse(at ?? '') : Number.POSITIVE_INFINITY;
  return {
    reminder: percentiles(seen.map(({ steps: [step] }) => lateBy(step?.at, step?.done_at))),
    deadline: percentiles(seen.map(({ deadline, decided_at }) => lateBy(deadline, decided_at))),
  };
}

/** The store follows the stream: as soon as it knows of all of them, it is asked. */
async function untilStored(url: string, count: number): Promise<void> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; ) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const open = /^placet_open_approvals\S* (\d+)$/m.exec(metrics)?.[1];
    if (Number(open) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the store did not take them all');
}

async function timed(count: number, one: () => Promise<unknown>): Promise<{ times: number[] }> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const begun = performance.now();
    await one();
    times.push(performance.now() - begun);
  }
  return { times };
}

/** What the sweep asks of the store, at a time when all of them are due. */
async function sweepTimes(file: string) {
  const store = openSqliteOutcomeStore(file);
  const later = new Date(Date.now() + 6 * 86_400_000);
  const { times } = await timed(looks, () => store.due(later, later, dueCount));
  await store.close();
  return percentiles(times);
}

function percentiles(times: number[]) {
  const { p50, max } = summarise(times);
  const p95 = times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.95)] ?? Number.NaN;
  return { p50, p95, max };
}
