import { provideMongo } from '@placet/cluster';
import { compareRebuild } from '@placet/decisions-service/test/histories.ts';
import { openInDatabase, openInDirectory } from '@placet/decisions-service/test/places.ts';
import { table } from '../measure.ts';

const histories = 10_000;
const seed = 1;

/** Whether a store that is built anew from the stream is the same, to the letter, for many random histories. */
export async function measureRebuild(
  scale: number,
  say: (line: string) => void,
): Promise<{ text: string; missed: string[] }> {
  const count = Math.round(histories * scale);
  const mongo = await provideMongo();
  try {
    const places = [
      ['SQLite', openInDirectory],
      [mongo.kind, () => openInDatabase(mongo.url)],
    ] as const;
    const rows = [];
    const missed: string[] = [];
    for (const [name, open] of places) {
      say(`${count} histories on ${name} …`);
      const begun = performance.now();
      const { messages, bytes, difference } = await compareRebuild(open, { histories: count, seed });
      const seconds = (performance.now() - begun) / 1000;
      rows.push([name, count, messages, bytes / 1e6, seconds, difference === null ? 'the same' : 'another']);
      if (difference !== null)
        missed.push(`a store that is built anew is the same on ${name}: ${difference}`);
    }
    const names = ['a store built twice', 'histories', 'messages', 'MB compared', 's', 'is'];
    return { text: table(names, rows), missed };
  } finally {
    await mongo.stop();
  }
}
