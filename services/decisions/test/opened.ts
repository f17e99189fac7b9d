import { afterEach, beforeEach } from 'vitest';
import type { OutcomeStore } from '../store.ts';

export type OpenedStore = {
  store: OutcomeStore;
  reopen(): Promise<OutcomeStore>;
  drop(): Promise<void>;
};
export type OpenStore = () => Promise<OpenedStore>;

/** Each test has a store of its own. */
export function openForEach(open: OpenStore, take: (opened: OpenedStore) => void): void {
  let opened: OpenedStore | undefined;
  beforeEach(async () => {
    opened = await open();
    take(opened);
  });
  afterEach(() => opened?.drop());
}
