import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { AuditSequenceConflict, type AuditStore, type NewRecord } from '../store.ts';
import { queryContract } from './query-contract.ts';
import { change, event, events } from './records.ts';
import { type Sequencer, startSequencer, type Where } from './sequencer-process.ts';
import { allOf, appendUntilStored, expectDense, seqsOf } from './whole-record.ts';

/** A place where records are kept. Every store opened there sees the same ones. */
export type Place = { where: Where; open(): Promise<AuditStore>; remove(): Promise<void> };

const raceRounds = 50;

export function auditStoreContract(name: string, newPlace: () => Promise<Place>): void {
  describe(`the audit store on ${name}`, () => {
    let place: Place;
    let store: AuditStore;
    const opened: AuditStore[] = [];

    const open = async () => {
      const another = await place.open();
      opened.push(another);
      return another;
    };

    beforeEach(async () => {
      place = await newPlace();
      store = await open();
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.close()));
      await place.remove();
    });

    describe('append', () => {
      test('an empty store has no records and no positions', async () => {
        expect(await store.head()).toEqual({ size: 0, positions: { PLACET: 0, PLACET_CONFIG: 0 } });
        expect(await store.query({ limit: 10 })).toEqual({ records: [], next: null });
      });

      test('gives dense indexes in order, and head says how far each stream is recorded', async () => {
        expect(await store.append([event(3), event(4), change(1)], 0)).toEqual({
          outcome: 'stored',
          size: 3,
        });
        expect(await store.append([event(9)], 3)).toEqual({ outcome: 'stored', size: 4 });
        expect(await store.head()).toEqual({ size: 4, positions: { PLACET: 9, PLACET_CONFIG: 1 } });
        const { records } = await store.query({ limit: 10 });
        expect(records).toEqual([
          { index: 0, ...event(3) },
          { index: 1, ...event(4) },
          { index: 2, ...change(1) },
          { index: 3, ...event(9) },
        ]);
      });

      test('of nothing is stored', async () => {
        expect(await store.append([], 0)).toEqual({ outcome: 'stored', size: 0 });
      });

      test('takes 500 records at once, and refuses more', async () => {
        const records = events(1, 501);
        await expect(store.append(records, 0)).rejects.toThrow(RangeError);
        expect(await store.append(records.slice(0, 500), 0)).toEqual({ outcome: 'stored', size: 500 });
        expect(await allOf(store)).toEqual(
          records.slice(0, 500).map((record, index) => ({ index, ...record })),
        );
      });

      test('takes more than one command can carry, in order', async () => {
        const text = 'x'.repeat(512 * 1024);
        const records = events(1, 40).map((record) => ({ ...record, body: `${record.seq}${text}` }));
        expect(await store.append(records, 0)).toEqual({ outcome: 'stored', size: 40 });
        const stored = await allOf(store);
        expect(stored.map(({ index, seq, body }) => [index, seq, body.length])).toEqual(
          records.map(({ seq, body }, index) => [index, seq, body.length]),
        );
      });

      test('keeps a body exactly, whatever it holds', async () => {
        const bodies = [
          '{"a.b":{"$set":{"$where":"1"}},"$":1,".":2,"__proto__":3}',
          '{"amount":9223372036854775807,"fraction":0.10000000000000000555,"again":1,"again":2}',
          '{"text":"Grüße 🙂 \\u0000 \\ud800","mark":"\ufeff\u2028e\u0301"}\n',
          'not JSON \u0000 at all',
          '',
        ];
        const records = bodies.map((body, n) => ({ ...event(n + 1), body, case: `Fäll/${n}.$x 🙂` }));
        await store.append(records, 0);
        expect(await allOf(store)).toEqual(records.map((record, index) => ({ index, ...record })));
      });

      test('keeps the seal, or that there was none, and the flaw', async () => {
        const records: NewRecord[] = [
          { ...event(1), seal: 'k1.0a Grüße', flaw: null },
          { ...event(2), seal: null, flaw: 'wrong_proof' },
        ];
        await store.append(records, 0);
        expect(await allOf(store)).toEqual(records.map((record, index) => ({ index, ...record })));
      });

      test('keeps sequences beyond 32 bits as numbers', async () => {
        const seq = 2 ** 40 + 1;
        await store.append([event(seq)], 0);
        expect((await store.head()).positions.PLACET).toBe(seq);
        expect((await allOf(store))[0]?.seq).toBe(seq);
      });

      test('refuses an expected size that is none, and an id that the store could have made', async () => {
        await expect(store.append([event(1)], -1)).rejects.toThrow(RangeError);
        await expect(store.append([event(1)], 0.5)).rejects.toThrow(RangeError);
        await expect(store.append([{ ...event(1), id: 'a#PLACET:2' }], 0)).rejects.toThrow(TypeError);
        expect((await store.head()).size).toBe(0);
      });
    });

    describe('delivered twice is the same as once', () => {
      test('a batch whose reply was lost is stored once, whatever size is expected', async () => {
        const batch = events(1, 5);
        await store.append(batch, 0);
        expect(await store.append(batch, 0)).toEqual({ outcome: 'stored', size: 5 });
        expect(await store.append(batch, 5)).toEqual({ outcome: 'stored', size: 5 });
        expect(await seqsOf(store)).toEqual([1, 2, 3, 4, 5]);
      });

      test('a batch of which a prefix was stored is completed after another look at head', async () => {
        const batch = events(1, 5);
        await store.append(batch.slice(0, 2), 0);
        expect(await store.append(batch, 0)).toEqual({ outcome: 'fenced' });
        expect(await store.append(batch, (await store.head()).size)).toEqual({ outcome: 'stored', size: 5 });
        expect(await seqsOf(store)).toEqual([1, 2, 3, 4, 5]);
      });

      test('records known already leave no gap between the new ones', async () => {
        await store.append([event(2), event(4)], 0);
        await store.append(events(1, 5), 2);
        const all = await allOf(store);
        expect(all.map(({ index, seq }) => [index, seq])).toEqual([
          [0, 2],
          [1, 4],
          [2, 1],
          [3, 3],
          [4, 5],
        ]);
      });

      test('a record twice in one batch is stored once', async () => {
        expect(await store.append([event(1), event(1), event(2)], 0)).toEqual({ outcome: 'stored', size: 2 });
        expect(await seqsOf(store)).toEqual([1, 2]);
      });
    });

    describe('nothing vanishes', () => {
      const forged: NewRecord = { ...event(8), id: event(1).id, body: '{"forged":true}' };

      test('another message with a recorded id is recorded under an id of its own, once', async () => {
        await store.append([event(1)], 0);
        expect(await store.append([forged, event(9)], 1)).toEqual({ outcome: 'stored', size: 3 });
        expect(await store.append([forged, event(9)], 3)).toEqual({ outcome: 'stored', size: 3 });
        const all = await allOf(store);
        expect(all[1]).toEqual({ index: 1, ...forged, id: `${event(1).id}#PLACET:8` });
        expect(all[2]).toEqual({ index: 2, ...event(9) });
      });

      test('so is one in the same batch, and one in the other stream', async () => {
        const elsewhere: NewRecord = { ...change(1), id: event(1).id };
        await store.append([event(1), forged, elsewhere], 0);
        const ids = (await allOf(store)).map(({ id }) => id);
        expect(ids).toEqual([event(1).id, `${event(1).id}#PLACET:8`, `${event(1).id}#PLACET_CONFIG:1`]);
      });

      test('another message at a recorded sequence is an error that says so, and stores nothing', async () => {
        await store.append([event(1), event(2)], 0);
        const other: NewRecord = { ...event(2), id: 'other', body: '{"other":true}' };
        await expect(store.append([event(3), other], 2)).rejects.toThrow(AuditSequenceConflict);
        expect((await store.head()).size).toBe(2);
      });
    });

    describe('one sequencer at a time', () => {
      test('a sequencer that is behind is fenced, and stores nothing', async () => {
        const other = await open();
        await store.append([event(1)], 0);
        expect(await other.append([event(2)], 0)).toEqual({ outcome: 'fenced' });
        expect(await seqsOf(store)).toEqual([1]);
        expect(await other.append([event(2)], 1)).toEqual({ outcome: 'stored', size: 2 });
      });

      test('an expected size beyond the end is fenced, and leaves no gap', async () => {
        expect(await store.append([event(1)], 1)).toEqual({ outcome: 'fenced' });
        expect(await store.head()).toMatchObject({ size: 0 });
      });

      test(`two that race for ${raceRounds} rounds make one dense record`, async () => {
        const stores = [store, await open()];
        let fenced = 0;
        for (let round = 0; round < raceRounds; round++) {
          // What the two have in common is recorded once; each has something of its own as well.
          const first = round * 6 + 1;
          const { size } = await store.head();
          const batches = [events(first, first + 3), events(first + 2, first + 5)];
          const outcomes = await Promise.all(stores.map((one, n) => one.append(batches[n] ?? [], size)));
          fenced += outcomes.filter(({ outcome }) => outcome === 'fenced').length;
          for (const batch of batches) await appendUntilStored(store, batch);
        }
        expect(fenced).toBeGreaterThan(0);
        expectDense(await allOf(store), raceRounds * 6);
      });

      test('two processes that race and are killed in the middle leave a dense record that goes on', async () => {
        const sequencers: Sequencer[] = [0, 1].map(() => startSequencer(place.where));
        onTestFinished(() => sequencers.forEach((one) => void one.kill()));
        await Promise.all(sequencers.map((one) => one.running));
        await expect.poll(async () => (await store.head()).size, { timeout: 20_000 }).toBeGreaterThan(300);
        await Promise.all(sequencers.map((one) => one.kill()));
        // A server may still be at work for a client that is dead, so more can come after this.
        const { size, positions } = await store.head();
        expect(positions.PLACET).toBe(size);
        const { length } = await allOf(store);
        expect(length).toBeGreaterThanOrEqual(size);
        await appendUntilStored(store, events(length + 1, length + 100));
        expectDense(await allOf(store), length + 100);
      });
    });

    test('a store opened again has everything, and goes on', async () => {
      await store.append([event(1), change(1)], 0);
      await store.close();
      const again = await open();
      expect(await again.head()).toEqual({ size: 2, positions: { PLACET: 1, PLACET_CONFIG: 1 } });
      expect(await again.append([event(2)], 2)).toEqual({ outcome: 'stored', size: 3 });
      expect(await allOf(again)).toEqual([
        { index: 0, ...event(1) },
        { index: 1, ...change(1) },
        { index: 2, ...event(2) },
      ]);
    });

    test('several can open a new place at the same time', async () => {
      const fresh = await newPlace();
      onTestFinished(() => fresh.remove());
      const stores = await Promise.all([1, 2, 3].map(() => fresh.open()));
      expect(await Promise.all(stores.map((one) => one.head().then(({ size }) => size)))).toEqual([0, 0, 0]);
      await Promise.all(stores.map((one) => one.close()));
    });

    test('what is asked of a closed store fails', async () => {
      await store.close();
      await expect(store.append([event(1)], 0)).rejects.toThrow();
      await expect(store.head()).rejects.toThrow();
    });

    queryContract(() => store);
  });
}
