import { mailDisagreements } from '@placet/mail';
import { runService, SettingsProblem } from '@placet/runtime';
import { gatewaySettings } from './config.ts';
import { startGatewayService } from './service.ts';

await runService('gateway', gatewaySettings, (environment, config) => {
  const problems = mailDisagreements(config);
  if (problems.length > 0) throw new SettingsProblem(problems);
  return startGatewayService(environment, { config });
});
