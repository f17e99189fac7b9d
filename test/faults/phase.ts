import { sleep } from '@placet/runtime';
import { runAgent } from './agents.ts';
import type { Arrangement } from './arrangement.ts';
import { createAsker } from './asking.ts';
import { type Evidence, readPlaces } from './evidence.ts';
import { type Injected, injectAll } from './inject.ts';
import { type Note, successOf } from './notes.ts';
import { startOperator } from './operator.ts';
import { type Fault, planFaults } from './plan.ts';
import { createSupervisor } from './processes.ts';
import { waitUntilQuiet } from './quiet.ts';
import { createRandom } from './random.ts';
import { createVoters } from './voters.ts';

export type Phase = {
  name: string;
  evidence: Evidence;
  planned: Fault[];
  injected: Injected[];
  failedStarts: number;
};

const askedAgainMax = 300;

/** One arrangement from its first request until everything rests: load and faults, and then what is known of it. */
export async function runPhase(
  name: string,
  arrangement: Arrangement,
  { seed, durationMs, say }: { seed: number; durationMs: number; say: (line: string) => void },
): Promise<Phase> {
  const { cluster, mongo, people } = arrangement;
  const planned = planFaults(seed, durationMs, {
    services: cluster.services.map((service) => service.name),
    brokers: cluster.brokers.map((broker) => broker.name),
    mongodb: mongo !== null,
  });
  const notes: Note[] = [];
  const random = createRandom(seed + 1);
  const supervisor = createSupervisor(cluster.services);
  const operator = startOperator(arrangement, notes, random);
  const load = startLoad(arrangement, notes, seed);
  const began = Date.now();
  const injected = await injectAll(arrangement, planned, durationMs, { supervisor, operator, say });
  await sleep(Math.max(0, began + durationMs - Date.now()));
  await load.stop();
  const fills = await operator.stop();
  say('the load is over; waiting until everything rests');
  const before = await waitUntilQuiet(arrangement);
  await askAgain(arrangement, notes);
  const restless = [...before, ...(await waitUntilQuiet(arrangement))];
  const processes = await supervisor.stop();
  const evidence = { notes, people, processes, restless, fills, ...(await readPlaces(arrangement)) };
  return { name, evidence, planned, injected, failedStarts: processes.failedStarts };
}

function startLoad({ gateways, agents, voters, restMs }: Arrangement, notes: Note[], seed: number) {
  const stopping = new AbortController();
  const sceneOf = (n: number) => {
    return { gateways, notes, restMs, random: createRandom(seed * 1000 + n), stopping: stopping.signal };
  };
  const voting = createVoters(sceneOf(0), voters);
  const running = [
    ...agents.map((agent, i) => runAgent(sceneOf(i + 1), agent, voting.take)),
    voting.browse(),
  ];
  return {
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all(running);
      await voting.settled();
    },
  };
}

/** When all is over, the same keys have to stand for the same actions and decisions. */
async function askAgain({ agents, gateways }: Arrangement, notes: Note[]): Promise<void> {
  const keyed = notes.filter(
    ({ asked }) => asked.kind === 'check' && asked.request.idempotency_key !== undefined,
  );
  const accepted = keyed.filter((note) => successOf(note) !== null).slice(-askedAgainMax);
  for (const [i, { by, asked }] of accepted.entries()) {
    const key = agents.find((agent) => agent.name === by)?.key;
    const gateway = gateways[i % gateways.length];
    if (asked.kind !== 'check' || key === undefined || gateway === undefined) continue;
    const way = { method: 'POST', path: '/v1/check', body: asked.request };
    await createAsker(by, key, notes)(gateway, way, asked);
  }
}
