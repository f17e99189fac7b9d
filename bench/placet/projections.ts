import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 5;
const caughtUpWithinMs = 120_000;

/** How far the record and the stored outcomes are, read from their files beside the services that write them. */
export type Projections = {
  recorded(): number;
  outcomesAt(): number;
  /** Resolves when so many records are there, and the outcomes are at this sequence of the stream. */
  reach(records: number, seq: number): Promise<{ recordMs: number; outcomesMs: number }>;
  close(): void;
};

export function openProjections(dataDir: string): Projections {
  const audit = new DatabaseSync(join(dataDir, 'audit.sqlite'), { readOnly: true });
  const decisions = new DatabaseSync(join(dataDir, 'decisions.sqlite'), { readOnly: true });
  const size = audit.prepare('SELECT coalesce(max("index"), -1) + 1 AS size FROM records');
  const position = decisions.prepare("SELECT value FROM meta WHERE name = 'position'");
  const recorded = () => Number(size.get()?.['size']);
  const outcomesAt = () => {
    const row = position.get();
    return row ? (JSON.parse(String(row['value'])) as { seq: number }).seq : 0;
  };
  const since = async (reached: () => boolean) => {
    const begun = performance.now();
    while (!reached()) {
      if (performance.now() - begun > caughtUpWithinMs) throw new Error('a projection does not catch up');
      await sleep(pollMs);
    }
    return performance.now() - begun;
  };
  return {
    recorded,
    outcomesAt,
    async reach(records, seq) {
      const [recordMs, outcomesMs] = await Promise.all([
        since(() => recorded() >= records),
        since(() => outcomesAt() >= seq),
      ]);
      return { recordMs, outcomesMs };
    },
    close() {
      audit.close();
      decisions.close();
    },
  };
}
