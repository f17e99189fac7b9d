import { runService, SettingsProblem, trustSettings } from '@placet/runtime';
import { notifierDisagreements, notifierSettings } from './config.ts';
import { startNotifierService } from './service.ts';

await runService(
  'notifier',
  { ...notifierSettings, ...trustSettings },
  (environment, { trusted, ...config }) => {
    const problems = notifierDisagreements(config);
    if (problems.length > 0) throw new SettingsProblem(problems);
    return startNotifierService(environment, { config, trusted });
  },
);
