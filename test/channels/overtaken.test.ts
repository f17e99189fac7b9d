import { consumers, services } from '@placet/events';
import type { CardChannel } from '@placet/notifier-service/card-channel.ts';
import { createCards } from '@placet/notifier-service/cards.ts';
import type { CardsEntry, Ledger } from '@placet/notifier-service/ledger.ts';
import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, messagesIn, policy, rawBroker } from '../support.ts';
import { notifierOf } from './notifier-support.ts';

releaseAfterEach();

/** Keeps what it is told to send. */
function keepingChannel() {
  const sent: string[] = [];
  const channel: CardChannel = {
    kind: 'slack',
    isByName: () => false,
    targetsOf: ({ ended }) => (ended ? [] : ['#approvals']),
    placeOf: () => null,
    find: async () => ({ outcome: 'looked', handle: null }),
    async send(target) {
      sent.push(target);
      return { outcome: 'delivered', handle: target };
    },
    update: async (handle) => ({ outcome: 'delivered', handle }),
    check: async () => ({ ok: true }),
    close() {},
  };
  return { channel, sent };
}

test('who has read for long that it waits does not send what has ended meanwhile', async () => {
  const others = services.filter((service) => service !== consumers.notifierSlack.service);
  const placet = await startTestPlacet({ policy, services: others });
  const raw = await rawBroker(placet.placet);
  const parts = await notifierOf(placet);
  const { channel, sent } = keepingChannel();
  const told = async (type: string) => {
    const all = await messagesIn(raw);
    const found = all.find(({ event }) => event?.type === type);
    if (!found) throw new Error(`there is no ${type}`);
    return { event: found.event, subject: found.subject, seq: found.seq, deliveries: 1 };
  };

  const id = await held(placet);
  const looks = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const slowly: Ledger<CardsEntry> = {
    ...parts.ledger,
    async get(key) {
      looks.resolve();
      await goesOn.promise;
      return parts.ledger.get(key);
    },
  };
  const slow = createCards({ ...parts, ledger: slowly, channel })(
    await eventually(() => told('approval.needed')),
  );
  await looks.promise;
  await placet.admin.vote(id, { vote: 'approve' });
  const closed = await eventually(() => told('approval.closed'));
  expect(await createCards({ ...parts, channel })(closed)).toEqual({ outcome: 'done' });
  goesOn.resolve();

  expect(await slow).toMatchObject({ outcome: 'retry', reason: 'somebody has seen more' });
  expect(sent).toEqual([]);
});
