import { fileSettings, openStoreOf, runService, signerSettings, storeSettings } from '@placet/runtime';
import { decisionsSettings } from './config.ts';
import { openMongoOutcomeStore } from './mongo-store.ts';
import { startDecisionsService } from './service.ts';
import { openSqliteOutcomeStore } from './sqlite-store.ts';

const settings = { ...decisionsSettings, ...storeSettings, ...fileSettings, ...signerSettings };
await runService('decisions', settings, async (environment, { signer, ...config }) => {
  const open = { mongo: openMongoOutcomeStore, file: openSqliteOutcomeStore };
  const store = await openStoreOf('decisions', config, open);
  return startDecisionsService(environment, { config, signer, store });
});
