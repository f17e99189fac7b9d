import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, identityOf } from '@placet/cluster';
import { consumers, type EventOf } from '@placet/events';
import { verdictEvent } from '@placet/policy-service/verdict.ts';
import { createSealer, createSigner, parseSealKeys } from '@placet/proof';
import {
  createLogger,
  createMetrics,
  done,
  type RunningService,
  startService,
  subscribe,
} from '@placet/runtime';

const verdict = {
  decide: 'require_approval' as const,
  reason: 'Several people have to agree.',
  rule: null,
  scope: 'default',
  layers: [],
  demands: [{ scope: 'default', rule: null, approvers: [], quorum: 1, separate: false }],
  settings: {},
};
const config = { automaticValidForMs: 600_000, peopleValidForMs: 600_000, approvalTimeoutMs: 600_000 };

/** Stands in for the policy service, and asks for more than one person, which no policy can say yet. */
export function startPolicyThatAsksFor(cluster: Cluster, quorum: number): Promise<RunningService> {
  const secret = secretsOf(cluster);
  const sealer = createSealer(parseSealKeys(secret('PLACET_SEAL_KEYS')));
  const signer = createSigner(secret('PLACET_SIGNING_KEY'));
  const environment = {
    nats: { url: cluster.natsUrl, user: 'policy', password: secret('PLACET_NATS_PASSWORD') },
    sealer,
    logger: createLogger({ level: 'silent' }),
    metrics: createMetrics(),
  };
  return startService('policy', environment, async ({ context, bus, alarm, resources }) => {
    subscribe(context, bus, alarm, resources, {
      spec: consumers.policy,
      handle: async ({ event: request, seq }) => {
        const by = { signer, config, longestMs: Number.POSITIVE_INFINITY, now: new Date() };
        const event = verdictEvent(request as EventOf<'action.requested'>, verdict, by);
        if (event.type !== 'approval.needed') throw new Error('the verdict is to ask for people');
        const demands = event.data.demands.map((demand) => ({ ...demand, quorum }));
        await bus.append({ ...event, data: { ...event.data, demands } }, { version: seq, number: 1 });
        return done;
      },
    });
    return {};
  });
}

function secretsOf({ secretsDir }: Cluster): (name: string) => string {
  const files = identityOf('policy', secretsDir);
  return (name) => readFileSync(join(files[`${name}_FILE`] ?? ''), 'utf8').trim();
}
