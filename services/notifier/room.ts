import type { RaiseAlarm } from '@placet/runtime';
import { StoreFull } from '@placet/runtime';
import type { Ledger } from './ledger.ts';

/** Whether there is room in the ledger of cards: without it nobody is told of anything, and nothing is brought up to date. */
export type Room = { watched<Entry>(ledger: Ledger<Entry>): Ledger<Entry>; problems(): string[] };

const fullText = 'there is no room in placet-cards: people are told of no approval, and no card is changed';

export function createRoom(alarm: RaiseAlarm): Room {
  let isFull = false;
  return {
    watched: (ledger) => ({
      ...ledger,
      async put(...args) {
        try {
          const put = await ledger.put(...args);
          isFull = false;
          return put;
        } catch (error) {
          if (!(error instanceof StoreFull)) throw error;
          // Every event that waits comes by here again and again.
          if (!isFull) await tellOfFull();
          isFull = true;
          throw error;
        }
      },
    }),
    problems: () => (isFull ? [`notifier: ${fullText}`] : []),
  };

  async function tellOfFull(): Promise<void> {
    const about = new Date().toISOString().slice(0, 10);
    await alarm({ kind: 'cards_full', about, message: `Notifier: ${fullText}.` });
  }
}
