import type { JetStreamManager } from '@nats-io/jetstream';
import { counterStreams } from '@placet/events';

/** What limits and budgets have counted: the total of each count, the smallest first. */
export async function countTotals(jsm: JetStreamManager): Promise<number[]> {
  const found: number[] = [];
  for (const { name } of counterStreams) {
    const { state } = await jsm.streams.info(name, { subjects_filter: '>' });
    for (const subject of Object.keys(state.subjects ?? {})) {
      const last = await jsm.streams.getMessage(name, { last_by_subj: subject });
      found.push(Number((JSON.parse(last?.string() ?? '{}') as { val: string }).val));
    }
  }
  return found.toSorted((a, b) => a - b);
}
