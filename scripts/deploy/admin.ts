import { adminToken, ensureFirstPolicy, firstAgentKey } from '@placet/embedded';
import { Agent, configBuckets, Person, PolicyText } from '@placet/events';
import { createAgents } from '@placet/gateway-service/accounts/agents.ts';
import { createPeople } from '@placet/gateway-service/accounts/people.ts';
import { createPolicies } from '@placet/gateway-service/policies/policies.ts';
import {
  createLogger,
  createMetrics,
  explain,
  openConfigStore,
  readSettings,
  type ServiceParts,
  startService,
} from '@placet/runtime';
import { adminSettings } from './settings.ts';

/**
 * The first administrator, agent and policy of a deployment, with the gateway's own secrets. Later it makes another
 * token for the administrator, for who has lost it. It is on the record like every change.
 */
async function main(): Promise<void> {
  const { natsUrl, natsPassword, logLevel, sealer, adminEmail } = readSettings(adminSettings, process.env);
  const logger = createLogger({ level: logLevel });
  const nats = { url: natsUrl, user: 'gateway', password: natsPassword };
  let made = {};
  const environment = { nats, sealer, logger, metrics: createMetrics() };
  const service = await startService('gateway', environment, async (parts) => {
    made = await makeFirst(parts, adminEmail);
    return {};
  });
  await service.close();
  process.stdout.write(`${JSON.stringify(made)}\n`);
}

async function makeFirst({ context, alarm, resources }: ServiceParts, adminEmail: string): Promise<object> {
  const open = <T>(bucket: Parameters<typeof openConfigStore<T>>[3]) =>
    openConfigStore(context, alarm, resources, bucket);
  const agents = createAgents(await open({ bucket: configBuckets.agents, schema: Agent }));
  const people = createPeople(await open({ bucket: configBuckets.people, schema: Person }));
  // The first policy names no times that the stream could be too short for.
  const policies = createPolicies(
    await open({ bucket: configBuckets.policies, schema: PolicyText }),
    () => Number.POSITIVE_INFINITY,
  );
  await ensureFirstPolicy({ policies });
  const isFirst = agents.list().length === 0;
  return {
    personToken: await adminToken({ people }, adminEmail),
    ...(isFirst ? { agentKey: await firstAgentKey({ agents }) } : {}),
  };
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
