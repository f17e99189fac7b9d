import { runService } from '@placet/runtime';
import { gatewaySettings } from './config.ts';
import { startGatewayService } from './service.ts';

await runService('gateway', gatewaySettings, (environment, config) =>
  startGatewayService(environment, { config }),
);
