import { configStream, eventStream } from '@placet/events';
import { sleep } from '@placet/runtime';
import type { Arrangement } from './arrangement.ts';
import { isAnswering } from './processes.ts';

const quietWithinMs = 60_000;
const lookEveryMs = 700;

/**
 * Waits until everything rests: all services ready, nothing undecided or owed, the stores and the record as far as
 * the streams, and no new event since the look before. Answers what was still not so when its time was over.
 */
export async function waitUntilQuiet(arrangement: Arrangement): Promise<string[]> {
  const deadline = Date.now() + quietWithinMs;
  let lastSeq = -1;
  for (;;) {
    const { restless, seq } = await look(arrangement).catch((error: Error) => ({
      restless: [`it cannot be looked at: ${error.message}`],
      seq: -1,
    }));
    if (restless.length === 0 && seq === lastSeq) return [];
    if (Date.now() > deadline) return restless;
    lastSeq = seq;
    await sleep(lookEveryMs);
  }
}

async function look({ cluster, nats, stores }: Arrangement): Promise<{ restless: string[]; seq: number }> {
  const restless: string[] = [];
  for (const { name, url } of cluster.services) {
    if (!(await isAnswering(url, '/ready'))) restless.push(`${name} is not ready`);
  }
  const { state } = await nats.jsm.streams.info(eventStream);
  const configuration = await nats.jsm.streams.info(configStream);
  const position = await stores.position();
  if (position !== state.last_seq) restless.push(`the outcomes end at ${position} of ${state.last_seq}`);
  const unfinished = await stores.unfinished();
  if (unfinished.length > 0) restless.push(`${unfinished.length} actions are undecided, or owe something`);
  const messages = state.messages + configuration.state.messages;
  const recorded = await stores.recordSize();
  if (recorded !== messages) restless.push(`${recorded} of ${messages} messages are on the record`);
  return { restless, seq: state.last_seq };
}
