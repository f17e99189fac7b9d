import { type Cluster, type ClusterOptions, startCluster } from '@placet/cluster';
import { releaseAfterTest, temporaryDirectory } from './cleanup.ts';
import { type Client, createClient } from './client.ts';
import { natsServerBinary } from './nats.ts';

export type TestCluster = Cluster & {
  dir: string;
  /** With the first agent's key, at the first gateway. */
  agent: Client;
  /** With the first person's token, at the first gateway. */
  admin: Client;
};

/** Services and brokers as real processes, in a directory of the test's own. */
export async function startTestCluster(
  options: Omit<ClusterOptions, 'natsServer' | 'dir'> & { policy?: string } = {},
): Promise<TestCluster> {
  const { policy, ...rest } = options;
  const dir = temporaryDirectory();
  const cluster = await startCluster({
    natsServer: natsServerBinary(),
    dir,
    streams: { PLACET_STREAM_SIZE: '256MB' },
    ...rest,
  });
  releaseAfterTest('cluster', () => cluster.stop());
  const [gateway] = cluster.of('gateway');
  if (!gateway) throw new Error('a cluster without a gateway answers nobody');
  const agent = createClient(gateway.url, cluster.agentKey);
  const admin = createClient(gateway.url, cluster.personToken);
  if (policy !== undefined) {
    const { status, body } = await admin.put('/v1/policies/default', policy);
    if (status !== 200) throw new Error(`the policy was refused: ${JSON.stringify(body)}`);
  }
  return { ...cluster, dir, agent, admin };
}
