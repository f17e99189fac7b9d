import { createRandom, type Random } from './random.ts';

/** What is done to a process, to MongoDB and to the stream. */
export type FaultKind = 'kill -9' | 'stopped' | 'restart' | 'down' | 'slow' | 'full';
export type Family = 'service' | 'broker' | 'mongodb' | 'stream';
export type Fault = { atMs: number; family: Family; target: string; kind: FaultKind; forMs: number };

export type Targets = { services: readonly string[]; brokers: readonly string[]; mongodb: boolean };

const gapMs = { from: 500, to: 3000 };
/** About how long a target needs after a fault until it can bear the next. */
const recoveryMs = { service: 3000, broker: 3500, mongodb: 1000, stream: 8000 };
/** Nothing is begun in the last moments, so that what was begun is over soon after the end. */
const calmEndMs = 1500;

type Card = { family: Family; kind: FaultKind };
const cards = (family: Family, ...kinds: FaultKind[]): Card[] => kinds.map((kind) => ({ family, kind }));
const ofServices = cards('service', 'kill -9', 'kill -9', 'kill -9', 'stopped', 'stopped', 'restart');
const ofBrokers = cards('broker', 'kill -9', 'kill -9', 'stopped', 'restart');
const ofMongo = cards('mongodb', 'down', 'slow', 'full');
const ofStream = cards('stream', 'full');

/** The faults of a phase, drawn from the seed alone: first one of each family, then every kind in its measure. */
export function planFaults(seed: number, durationMs: number, targets: Targets): Fault[] {
  const random = createRandom(seed);
  const deck = [...ofServices, ...ofBrokers, ...(targets.mongodb ? ofMongo : []), ...ofStream];
  const drawTarget = {
    service: bag(random, targets.services),
    broker: bag(random, targets.brokers),
    mongodb: () => 'mongodb',
    stream: () => 'PLACET',
  };
  const drawCard = bag(random, deck, onePerFamily(random, deck));
  const faults: Fault[] = [];
  const busyUntilMs = new Map<string, number>();
  let atMs = gapMs.from;
  while (atMs < durationMs - calmEndMs) {
    const { family, kind } = drawCard();
    const target = drawTarget[family]();
    const forMs = lengthMs(random, family, kind);
    // Never are two brokers away, so they are one lane.
    const lane = family === 'broker' ? family : target;
    const freeMs = busyUntilMs.get(lane) ?? 0;
    if (freeMs <= atMs) {
      faults.push({ atMs, family, kind, target, forMs });
      busyUntilMs.set(lane, atMs + forMs + recoveryMs[family]);
      atMs += random.between(gapMs.from, gapMs.to);
    }
  }
  return faults;
}

function onePerFamily(random: Random, deck: readonly Card[]): Card[] {
  const shuffled = random.shuffled(deck);
  return shuffled.filter((card, i) => shuffled.findIndex(({ family }) => family === card.family) === i);
}

/** Draws without putting back, until it is empty and filled again. */
function bag<T>(random: Random, items: readonly T[], first: readonly T[] = []): () => T {
  let left = [...first];
  return () => {
    if (left.length === 0) left = random.shuffled(items);
    return left.pop() as T;
  };
}

/** How long it lasts; for a process that ended, how long it stays away. */
function lengthMs(random: Random, family: Family, kind: FaultKind): number {
  if (kind === 'stopped') return random.between(500, 8000);
  if (family === 'mongodb') return random.between(1000, 5000);
  if (family === 'stream') return random.between(1000, 3000);
  return random.between(0, 2000);
}
