import { configBuckets, SignerKey } from '@placet/events';
import { createSigner, generateSigningKey } from '@placet/proof';
import { eventually, releaseAfterEach, startTestBus, startTestNats } from '@placet/testing';
import { expect, test } from 'vitest';
import { openConfigStore } from '../config-store.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { type ServiceParts, startService } from '../service.ts';
import { publishSigner } from '../signers.ts';
import { startTwo } from './support.ts';

releaseAfterEach();

async function environment() {
  const nats = await startTestNats();
  const parts = await startTestBus(nats);
  return {
    nats,
    sealer: parts.context.sealer,
    logger: createLogger({ level: 'silent' }),
    metrics: createMetrics(),
  };
}

test('a service is ready when its parts are, and says in words what is missing', async () => {
  const missing = ['policy: no policy yet'];
  const service = await startService('policy', await environment(), async () => ({ unready: () => missing }));
  expect(service.unready()).toEqual(missing);
  missing.pop();
  expect(service.unready()).toEqual([]);
  await service.close();
  expect(service.unready()).toEqual(['policy: not connected to NATS']);
});

test('a start that fails half way leaves nothing behind', async () => {
  const released: string[] = [];
  let parts: ServiceParts | undefined;
  const failing = startService('policy', await environment(), async (given) => {
    parts = given;
    given.resources.add('store', () => void released.push('store'));
    throw new Error('no store');
  });
  await expect(failing).rejects.toThrow('no store');
  expect(released).toEqual(['store']);
  expect(parts?.context.nc.isClosed()).toBe(true);
});

test('a service is not ready while its broker is away', async () => {
  const given = await environment();
  const service = await startService('policy', given, async () => ({}));
  expect(service.unready()).toEqual([]);
  await given.nats.stop();
  await eventually(() => expect(service.unready()).toEqual(['policy: not connected to NATS']));
  await service.close();
});

test('a public key is published once, by however many instances', async () => {
  const [one, other] = await startTwo();
  const bucket = { bucket: configBuckets.signers, schema: SignerKey };
  const open = (b: typeof one) => openConfigStore(b.context, b.alarm, b.resources, bucket);
  const stores = [await open(one), await open(other)];
  const { publicJwk } = createSigner(generateSigningKey());
  await Promise.all(stores.map((store) => publishSigner(store, 'policy', publicJwk)));
  await Promise.all(stores.map((store) => publishSigner(store, 'policy', publicJwk)));
  for (const store of stores) {
    await eventually(() => expect(store.get(publicJwk.kid)).toMatchObject({ status: 'valid' }));
    expect(store.all()).toHaveLength(1);
  }
  const { state } = await one.context.jsm.streams.info(`KV_${configBuckets.signers}`);
  expect(state.messages).toBe(1);
});
