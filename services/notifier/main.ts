import { runService, trustSettings } from '@placet/runtime';
import { notifierSettings } from './config.ts';
import { startNotifierService } from './service.ts';

await runService(
  'notifier',
  { ...notifierSettings, ...trustSettings },
  (environment, { trusted, ...config }) => startNotifierService(environment, { config, trusted }),
);
