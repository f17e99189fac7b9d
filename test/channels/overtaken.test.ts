import { consumers, services } from '@placet/events';
import type { CardChannel } from '@placet/notifier-service/card-channel.ts';
import { createCards } from '@placet/notifier-service/cards.ts';
import { CardsEntry, type Ledger, openLedger } from '@placet/notifier-service/ledger.ts';
import { connectNats, createBus, createLogger, createMetrics, Resources } from '@placet/runtime';
import {
  eventually,
  releaseAfterEach,
  releaseAfterTest,
  startTestPlacet,
  type TestPlacet,
} from '@placet/testing';
import { expect, test } from 'vitest';
import { held, messagesIn, policy, rawBroker } from '../support.ts';

releaseAfterEach();

/** Keeps what it is told to send. */
function keepingChannel() {
  const sent: string[] = [];
  const channel: CardChannel = {
    kind: 'slack',
    isByName: () => false,
    targetsOf: ({ ended }) => (ended ? [] : ['#approvals']),
    waitMs: () => 0,
    find: async () => null,
    async send(target) {
      sent.push(target);
      return { outcome: 'delivered', handle: target };
    },
    update: async (handle) => ({ outcome: 'delivered', handle }),
    check: async () => ({ ok: true }),
    retryDelayMs: () => null,
    close() {},
  };
  return { channel, sent };
}

async function notifierOf({ placet, agent }: TestPlacet) {
  const logger = createLogger({ level: 'silent' });
  const resources = new Resources(logger);
  releaseAfterTest('connection', () => resources.close());
  const nats = await connectNats({ ...placet.nats, name: 'notifier' }, logger, resources);
  const context = { ...nats, service: 'notifier' as const, sealer: null, logger, metrics: createMetrics() };
  const trusted = (await agent.get('/.well-known/jwks.json')).body;
  const ledger = await openLedger(context, CardsEntry);
  return { context, bus: createBus(context), ledger, trusted };
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
