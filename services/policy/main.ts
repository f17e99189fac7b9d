import { runService, signerSettings } from '@placet/runtime';
import { policySettings } from './config.ts';
import { startPolicyService } from './service.ts';

await runService('policy', { ...policySettings, ...signerSettings }, (environment, { signer, ...config }) =>
  startPolicyService(environment, { config, signer }),
);
