import { releaseAfterEach, startTestBus, startTestNats } from '@placet/testing';
import { expect, test } from 'vitest';
import { openLedger } from '../ledger.ts';
import { type Grant, Pace } from '../pace.ts';
import { createTurns } from '../turns.ts';

releaseAfterEach();

const place = { name: '#approvals', everyMs: 60_000 };

/** Makes such as send, each by what it has seen. */
async function startLedger() {
  const { context } = await startTestBus(await startTestNats());
  const ledger = await openLedger(context, Pace);
  return () => createTurns(ledger, context);
}

test('of all who want to send one does, however many at once', async () => {
  const sender = await startLedger();
  const senders = [sender(), sender()];
  const takes = Array.from({ length: 40 }, (_, n) => senders[n % 2]?.take(place, `agent-${n}`, 1));
  expect((await Promise.all(takes)).filter((grant) => grant !== null)).toHaveLength(1);
});

test('a rest that one was told holds for the other, which has sent before', async () => {
  const sender = await startLedger();
  const [one, other] = [sender(), sender()];
  const quick = { ...place, everyMs: 1 };
  const take = async () => other.take(quick, 'a', 1);
  expect(await take()).not.toBeNull();
  const until = Date.now() + 60_000;
  await one.rest(quick, until);
  expect(await take()).toBeNull();
  expect(other.seen(quick).freeAt).toBe(until);
});

test('what one did not need is for whoever comes next', async () => {
  const sender = await startLedger();
  const [one, other] = [sender(), sender()];
  const grant = (await one.take(place, 'a', 1)) as Grant;
  expect(await other.take(place, 'b', 1)).toBeNull();
  await one.giveBack(grant, 1);
  // The other has seen that it was taken, and looks again when that is over.
  expect(await sender().take(place, 'b', 1)).not.toBeNull();
});
