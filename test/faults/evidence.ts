import { configStream, eventStream, type PlacetEvent, parseEvent } from '@placet/events';
import type { Jwks } from '@placet/proof';
import { type Nats, readBatch } from '@placet/runtime';
import { createClient } from '../../libs/testing/client.ts';
import type { Arrangement } from './arrangement.ts';
import type { Note } from './notes.ts';
import type { FillReport } from './operator.ts';
import type { ProcessProblems } from './processes.ts';
import type { StoredOutcome } from './stores.ts';
import type { KnownPerson } from './world.ts';

/** A message of a stream. `event` is null where it is none of ours. */
export type Stored = { seq: number; subject: string; body: string; event: PlacetEvent | null };
export type Recorded = {
  index: number;
  id: string;
  stream: string;
  seq: number;
  subject: string;
  body: string;
};

/** All that is known at the end, from the places where it lies. */
export type Evidence = {
  notes: Note[];
  stream: Stored[];
  configuration: Stored[];
  record: Recorded[];
  outcomes: StoredOutcome[];
  unfinished: string[];
  keys: Jwks;
  people: readonly KnownPerson[];
  processes: ProcessProblems;
  /** What was not so at the end of the time that it was given. */
  restless: string[];
  fills: FillReport;
};

const batch = 500;

export async function readStream({ nc, js, jsm }: Nats, stream: string): Promise<Stored[]> {
  const { state } = await jsm.streams.info(stream);
  const found: Stored[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; ) {
    const { messages } = await readBatch({ nc, js, service: 'deploy' }, stream, seq, batch);
    for (const message of messages) {
      const body = new TextDecoder().decode(message.data);
      const parsed = stream === eventStream ? parseEvent(message.subject, body) : null;
      found.push({
        seq: message.seq,
        subject: message.subject,
        body,
        event: parsed?.ok ? parsed.event : null,
      });
    }
    const last = messages.at(-1);
    // A node that is behind has less; what the others hold is asked for again.
    if (last) seq = last.seq + 1;
  }
  return found;
}

/** The stream, the stores and the record, read when everything rests. */
export async function readPlaces({
  nats,
  stores,
  cluster,
  gateways,
}: Arrangement): Promise<
  Pick<Evidence, 'stream' | 'configuration' | 'record' | 'outcomes' | 'unfinished' | 'keys'>
> {
  const [gateway] = gateways;
  const admin = createClient(gateway.url, cluster.personToken);
  const stream = await readStream(nats, eventStream);
  const configuration = await readStream(nats, configStream);
  const outcomes = await stores.outcomes();
  const unfinished = await stores.unfinished();
  const keys = (await admin.get('/.well-known/jwks.json')).body as Jwks;
  return { stream, configuration, record: await readRecord(admin), outcomes, unfinished, keys };
}

async function readRecord(admin: ReturnType<typeof createClient>): Promise<Recorded[]> {
  const records: Recorded[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, body } = await admin.get(`/v1/audit?limit=500${cursor && `&cursor=${cursor}`}`);
    if (status !== 200) throw new Error(`the record cannot be read: ${JSON.stringify(body)}`);
    records.push(...(body.records as Recorded[]));
    cursor = body.next as string | null;
  }
  return records;
}
