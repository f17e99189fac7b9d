import { expect } from 'vitest';
import type { AuditRecord, AuditStore, NewRecord } from '../store.ts';
import { events } from './records.ts';

export async function allOf(store: AuditStore): Promise<AuditRecord[]> {
  const all: AuditRecord[] = [];
  let after: number | null = -1;
  while (after !== null) {
    const page: Awaited<ReturnType<AuditStore['query']>> = await store.query({ limit: 500, after });
    all.push(...page.records);
    after = page.next;
  }
  return all;
}

export async function seqsOf(store: AuditStore): Promise<number[]> {
  return (await allOf(store)).map(({ seq }) => seq);
}

export async function appendUntilStored(store: AuditStore, batch: NewRecord[]): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { size } = await store.head();
    if ((await store.append(batch, size)).outcome === 'stored') return;
  }
  throw new Error('fenced 20 times, and no other sequencer was there');
}

/** As many as there should be, each index there, each message once. */
export function expectDense(all: AuditRecord[], size: number): void {
  expect(all.map(({ index }) => index)).toEqual(Array.from({ length: size }, (_, index) => index));
  expect(new Set(all.map(({ id }) => id)).size).toBe(size);
  expect(all.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(events(1, size).map(({ seq }) => seq));
  expect(all.filter(({ id }) => id.includes('#'))).toEqual([]);
}
