import { CardsEntry, openLedger } from '@placet/notifier-service/ledger.ts';
import { Pace } from '@placet/notifier-service/pace.ts';
import { createTurns } from '@placet/notifier-service/turns.ts';
import { connectNats, createBus, createLogger, createMetrics, Resources } from '@placet/runtime';
import { releaseAfterTest, type TestPlacet } from '@placet/testing';

/** What a notifier works with, on a connection of its own. */
export async function notifierOf({ placet, agent }: TestPlacet) {
  const logger = createLogger({ level: 'silent' });
  const resources = new Resources(logger);
  releaseAfterTest('connection', () => resources.close());
  const nats = await connectNats({ ...placet.nats, name: 'notifier' }, logger, resources);
  const context = { ...nats, service: 'notifier' as const, sealer: null, logger, metrics: createMetrics() };
  const trusted = (await agent.get('/.well-known/jwks.json')).body;
  const ledger = await openLedger(context, CardsEntry);
  const turns = createTurns(await openLedger(context, Pace), context);
  return {
    resources,
    context,
    bus: createBus(context),
    ledger,
    turns,
    trusted,
    setUp: { slack: true, email: false },
  };
}
