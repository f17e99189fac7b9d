import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditQuery, AuditStore, NewRecord } from '../store.ts';
import { event } from './records.ts';
import { appendUntilStored } from './whole-record.ts';

/** What every store answers to questions, whatever else it does. */
export function queryContract(store: () => AuditStore): void {
  describe('query', () => {
    const records: NewRecord[] = Array.from({ length: 24 }, (_, n) => ({
      ...event(n + 1),
      time: new Date(Date.UTC(2026, 0, 1, n)).toISOString(),
      agent: n % 2 === 0 ? 'even' : 'odd',
      action: `act_${n % 3}`,
      case: n % 4 === 0 ? null : `case-${n % 4}`,
      type: n % 6 === 0 ? 'action.decided' : 'action.requested',
      flaw: n % 5 === 0 ? 'no_seal' : null,
    }));

    beforeEach(async () => {
      await store().append(records, 0);
    });

    /** What the query means, said once more without a database. */
    const meant = (query: AuditQuery) =>
      records.flatMap((record, index) => {
        const { agent, action, type, newest = false, from = '', until = '~' } = query;
        const after = query.after ?? (newest ? records.length : -1);
        const fits = [
          agent === undefined || record.agent === agent,
          action === undefined || record.action === action,
          query.case === undefined || record.case === query.case,
          type === undefined || record.type === type,
          !query.flawed || record.flaw !== null,
          (newest ? index < after : index > after) && record.time >= from && record.time < until,
        ];
        return fits.every(Boolean) ? [index] : [];
      });
    const inOrder = (query: AuditQuery) => (query.newest ? meant(query).toReversed() : meant(query));

    const from = '2026-01-01T05:00:00.000Z';
    const until = '2026-01-01T17:00:00.000Z';
    test.each<Omit<AuditQuery, 'limit'>>([
      {},
      { agent: 'even' },
      { action: 'act_1' },
      { case: 'case-3' },
      { type: 'action.decided' },
      { from },
      { until },
      { from, until },
      { after: 20 },
      { after: -1 },
      { after: 23 },
      { agent: 'odd', action: 'act_2', case: 'case-1' },
      { agent: 'even', type: 'action.decided', from, until, after: 6 },
      { flawed: true },
      { flawed: true, agent: 'odd', from, after: 5 },
      { agent: 'nobody' },
      { agent: '' },
      { case: '$ne' },
      { newest: true },
      { newest: true, after: 7 },
      { newest: true, agent: 'even', type: 'action.decided', after: 20 },
      { newest: true, after: 0 },
    ])('%j', async (query) => {
      const found = await store().query({ ...query, limit: 500 });
      expect(found.records.map(({ index }) => index)).toEqual(inOrder({ ...query, limit: 500 }));
      expect(found.next).toBeNull();
    });

    test('reads times in any zone', async () => {
      const found = await store().query({
        from: '2026-01-01T22:00:00+01:00',
        until: '2026-01-01T22:00:00Z',
        limit: 9,
      });
      expect(found.records.map(({ index }) => index)).toEqual([21]);
      await expect(store().query({ from: 'yesterday', limit: 9 })).rejects.toThrow(RangeError);
    });

    test('goes page by page, without a page too many', async () => {
      const first = await store().query({ agent: 'even', limit: 5 });
      expect(first.records.map(({ index }) => index)).toEqual([0, 2, 4, 6, 8]);
      expect(first.next).toBe(8);
      const second = await store().query({ agent: 'even', limit: 7, after: 8 });
      expect(second.records.map(({ index }) => index)).toEqual([10, 12, 14, 16, 18, 20, 22]);
      expect(second.next).toBeNull();
    });

    test('pages stay the same while records arrive', async () => {
      const seen: number[] = [];
      let after: number | null = -1;
      for (let arriving = 100; after !== null; arriving++) {
        const page: Awaited<ReturnType<AuditStore['query']>> = await store().query({ limit: 5, after });
        seen.push(...page.records.map(({ index }) => index));
        after = page.next;
        if (arriving < 104) await appendUntilStored(store(), [event(arriving)]);
      }
      expect(seen).toEqual(Array.from({ length: 28 }, (_, index) => index));
    });

    test.each([0, -1, 501, 1.5, Number.NaN])('refuses the limit %d', async (limit) => {
      await expect(store().query({ limit })).rejects.toThrow(RangeError);
    });

    test('takes the limits 1 and 500', async () => {
      expect((await store().query({ limit: 1 })).records).toHaveLength(1);
      expect((await store().query({ limit: 500 })).records).toHaveLength(24);
    });
  });
}
