import { fileSettings, openStoreOf, runService, storeSettings, trustSettings } from '@placet/runtime';
import { openMongoAuditStore } from './mongo-store.ts';
import { startAuditService } from './service.ts';
import { openSqliteAuditStore } from './sqlite-store.ts';

const settings = { ...storeSettings, ...fileSettings, ...trustSettings };
await runService('audit', settings, async (environment, { trusted, ...config }) => {
  const store = await openStoreOf('audit', config, {
    mongo: openMongoAuditStore,
    file: openSqliteAuditStore,
  });
  return startAuditService(environment, { store, trusted });
});
