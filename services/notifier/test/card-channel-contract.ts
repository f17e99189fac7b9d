import { releaseAfterEach } from '@placet/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { CardChannel, Sent, Updated } from '../card-channel.ts';
import type { Told } from '../told.ts';
import { changedOf, endedOf, remindedOf, votedOf } from './told-of.ts';

/** A channel, and the vendor behind it as a double over real sockets. */
export type Vendor = {
  channel: CardChannel;
  target: string;
  /** An approval that asks there, with this payload; of another number it is another one. */
  told(number: number, payload?: unknown): Told;
  /** What has come there, each as one text, in its order. What is brought up to date stays one. */
  shown(): string[];
  /** How many things ask people there now. */
  asking(): number;
  /** The vendor takes no more at the moment, for a second; absent where it has no such word. */
  limit?(): void;
  failOnce(): void;
  loseAnswer(): void;
  /** From now on nothing gets there, whatever is tried. */
  failForGood(): void;
};

/** What the shared flow relies on, whoever the vendor is. */
export function describeCardChannel(name: string, start: () => Promise<Vendor>): void {
  describe(`a card channel: ${name}`, () => {
    releaseAfterEach();
    let vendor: Vendor;
    beforeEach(async () => {
      vendor = await start();
    });

    async function sent(told: Told): Promise<string> {
      return handleOf(await vendor.channel.send(vendor.target, told));
    }
    async function updated(handle: string, told: Told): Promise<string> {
      return handleOf(await vendor.channel.update(handle, vendor.target, told, async () => true));
    }
    async function found(told: Told): Promise<string | null> {
      const found = await vendor.channel.find(vendor.target, told, { at: Date.now(), version: told.version });
      expect(found.outcome).toBe('looked');
      return found.outcome === 'looked' ? found.handle : null;
    }
    const reason = async (told: Told) => {
      const result = await vendor.channel.send(vendor.target, told);
      expect(result.outcome).toBe('failed');
      return result.outcome === 'failed' ? result.reason : '';
    };

    test('sends, and shows what is asked', async () => {
      const { shown, asking, told } = vendor;
      expect(await sent(told(1, { customer: 'Zoë' }))).not.toBe('');
      expect(shown()).toEqual([expect.stringContaining('Zoë')]);
      expect(asking()).toBe(1);
    });

    test('a vote asks nobody anew, however often it is told', async () => {
      const { shown, asking, told } = vendor;
      const handle = await sent(told(1));
      const voted = votedOf(told(1));
      await updated(await updated(handle, voted), voted);
      expect(shown()).toHaveLength(1);
      expect(asking()).toBe(1);
    });

    test('shows what is asked after a change', async () => {
      const { shown, asking, told } = vendor;
      const handle = await sent(told(1, { customer: 'Zoë' }));
      const changed = changedOf(told(1), { customer: 'Ada' });
      const next = await updated(handle, changed);
      expect(shown().at(-1)).toContain('Ada');
      const count = shown().length;
      await updated(next, changed);
      expect(shown()).toHaveLength(count);
      expect(asking()).toBe(1);
    });

    test('asks nobody after the end, whatever it is told then', async () => {
      const { shown, asking, told } = vendor;
      const ended = await updated(await sent(told(1)), endedOf(told(1)));
      expect(asking()).toBe(0);
      const count = shown().length;
      await updated(ended, endedOf(told(1)));
      expect(asking()).toBe(0);
      expect(shown()).toHaveLength(count);
    });

    test('what was sent by somebody who died is one thing, and ends', async () => {
      const { asking, told } = vendor;
      await sent(told(0));
      await updated(await sent(told(1)), endedOf(told(1)));
      await sent(told(2));
      const handle = (await found(told(2))) ?? (await sent(told(2)));
      expect(asking()).toBe(2);
      await updated(handle, endedOf(told(2)));
      expect(asking()).toBe(1);
    });

    test('what may have been sent and is over by now does not stay open', async () => {
      const { channel, target, asking, told, loseAnswer } = vendor;
      await updated(await sent(told(0)), endedOf(told(0)));
      loseAnswer();
      expect(await channel.send(target, told(1))).toMatchObject({ outcome: 'retry' });
      const handle = await found(endedOf(told(1)));
      if (handle !== null) await updated(handle, endedOf(told(1)));
      else if (channel.withdraw) {
        expect(await channel.withdraw(target, endedOf(told(1)))).toEqual({ outcome: 'delivered' });
      } else return;
      expect(asking()).toBe(0);
    });

    test('sends nothing more where it is not its turn, and all of it when it is', async () => {
      const { channel, target, told, shown } = vendor;
      const handle = await sent(told(1));
      const news = remindedOf(changedOf(told(1), { customer: 'Ada' }));
      const waits = await channel.update(handle, target, news, async () => false);
      expect(waits).toMatchObject({ outcome: 'waits' });
      const text = shown().join();
      await updated(waits.outcome === 'waits' ? waits.handle : '', news);
      expect(shown().join()).not.toBe(text);
    });

    test('waits for a vendor that takes no more, which is no failed attempt', async () => {
      const { channel, target, told, limit } = vendor;
      if (!limit) return;
      limit();
      expect(await channel.send(target, told(1))).toMatchObject({
        outcome: 'retry',
        isLimited: true,
        retryAfterMs: 1000,
      });
      await sent(told(1));
    });

    test('tries again what may pass', async () => {
      const { channel, target, told, failOnce } = vendor;
      failOnce();
      expect(await channel.send(target, told(1))).toMatchObject({
        outcome: 'retry',
        reason: expect.stringMatching(/\w+ .*\w/),
      });
      await sent(told(1));
    });

    test('says in words what cannot pass', async () => {
      vendor.failForGood();
      expect(await reason(vendor.told(1))).toMatch(/.+[:;] .+/);
      expect(vendor.shown()).toEqual([]);
    });

    test.each([
      ['turned writing', { to: 'account \u202e001' }, '\\u{202e}'],
      ['what has no width', { to: 'pay\u200bpal' }, '\\u{200b}'],
      ['200 KB', { text: 'x'.repeat(200_000) }, '(200000 characters)'],
      [
        '3,000 arguments',
        Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key${n}`, n])),
        'more arguments',
      ],
    ])('%s is seen', async (_, payload, seen) => {
      await sent(vendor.told(1, payload));
      const [text = ''] = vendor.shown();
      expect(text.replaceAll('\\\\', '\\')).toContain(seen);
      expect(text).not.toMatch(/[\u200b\u202e]/);
    });

    test('can be tried with something harmless, and says what is wrong', async () => {
      const { channel, target, shown, asking, failForGood } = vendor;
      expect(await channel.check(target)).toEqual({ ok: true });
      expect(shown().join('\n')).toContain('This is a test by Placet');
      expect(asking()).toBe(0);
      failForGood();
      expect(await channel.check(target)).toEqual({ ok: false, reason: expect.stringMatching(/.+[:;] .+/) });
    });
  });
}

function handleOf(sent: Sent | Updated): string {
  expect(sent).toMatchObject({ outcome: 'delivered' });
  return sent.outcome === 'delivered' ? sent.handle : '';
}
