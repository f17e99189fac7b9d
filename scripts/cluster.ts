import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideMongo, startCluster } from '@placet/cluster';
import { services } from '@placet/events';
import { explain, stopOnSignals } from '@placet/runtime';

const releases: (() => Promise<void> | void)[] = [];
async function release(): Promise<void> {
  for (let next = releases.pop(); next; next = releases.pop()) await next();
}

/**
 * `npm run cluster`: three nodes of the broker, two of each service, a server that speaks MongoDB's protocol, all on
 * loopback, until Ctrl-C. What it kept is gone then. What somebody ends stays away until somebody starts it.
 */
async function main(): Promise<void> {
  const natsServer = process.env['NATS_SERVER'] ?? 'nats-server';
  const dir = mkdtempSync(join(tmpdir(), 'placet-cluster-'));
  releases.push(() => rmSync(dir, { recursive: true, force: true }));
  stopOnSignals(release);
  process.stderr.write('placet: starting three brokers, ten services and a MongoDB …\n');
  const mongo = await provideMongo();
  releases.push(() => mongo.stop());
  const two = Object.fromEntries(services.map((service) => [service, 2]));
  const cluster = await startCluster({ natsServer, dir, nodes: 3, instances: two, mongodbUrl: mongo.url });
  releases.push(() => cluster.stop());
  const places = [
    ...[...cluster.brokers, ...cluster.services].map(({ name, url, pid }) => [
      name,
      `${url}  (pid ${pid()})`,
    ]),
    ['MongoDB', `${mongo.url}  (${mongo.kind})`],
    ['logs', `${dir}/*.log`],
    ['secrets', cluster.secretsDir],
    ["agent's key", cluster.agentKey],
    ['your token', cluster.personToken],
  ] as const;
  for (const { name, env } of cluster.services) {
    const lines = Object.entries(env).map(([variable, value]) => `${variable}=${value}\n`);
    writeFileSync(join(dir, `${name}.env`), lines.join(''), { mode: 0o600 });
  }
  const lines = places.map(([name, place]) => `  ${name.padEnd(13)}${place}`);
  const [gateway] = cluster.of('gateway');
  const [policy] = cluster.of('policy');
  process.stdout.write(`
Placet runs on three brokers, with two of each service. Stop it with Ctrl-C: what it kept is gone then.

${lines.join('\n')}

End one, and what the others do is yours to see (kill ${policy?.pid()}). It stays away until you start it again, from this directory:

'${process.execPath}' --env-file='${dir}/policy-1.env' services/policy/main.ts

Ask whether an agent may act, through either gateway:

curl -s '${gateway?.url}/v1/check' -H 'Authorization: Bearer ${cluster.agentKey}' -H 'Content-Type: application/json' -d '{"action_name":"cancel_flight","payload":{"flight_number":"PA441"}}'

`);
}

main().catch(async (error: unknown) => {
  console.error(explain(error));
  await release();
  process.exit(1);
});
