import { eventStream } from '@placet/events';
import type { RaiseAlarm } from './alarms.ts';
import type { History } from './history.ts';

/** So many causes are remembered; whoever is told again stores nothing twice. */
const rememberedMax = 10_000;

export type TellForged = (forged: History['forged']) => Promise<void>;

/** Alarms about messages of the stream that are not ours. Whoever meets one tells it: it is one event all the same. */
export function createForgedAlarms(alarm: RaiseAlarm): TellForged {
  const told = new Set<number>();
  return async (forged) => {
    for (const { seq, subject } of forged) {
      if (told.has(seq)) continue;
      if (told.size >= rememberedMax) told.clear();
      told.add(seq);
      await alarm({
        kind: 'wrong_seal',
        about: `${eventStream}/${seq}`,
        message: `Message ${seq} under ${subject} does not carry our seal, or has not its form or place. It is not acted upon.`,
      });
    }
  };
}
