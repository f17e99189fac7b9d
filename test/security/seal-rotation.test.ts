import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceProcess } from '@placet/cluster';
import { sealKeyText } from '@placet/proof';
import {
  type Client,
  createClient,
  eventually,
  releaseAfterEach,
  releaseAfterTest,
  startTestCluster,
  type TestCluster,
} from '@placet/testing';
import { expect, test } from 'vitest';
import { secretFiles } from '../../scripts/deploy/make-secrets.ts';
import { held, policy } from '../support.ts';

releaseAfterEach();

const instances = { gateway: 2, policy: 2 };
/** Processes start while checks go on, which takes its time on a busy machine. */
const patienceMs = 90_000;
const sealing = ['policy', 'decisions', 'gateway'] as const;

test('the seal key is exchanged while checks go on, as docs/operations.md says', async () => {
  const cluster = await startTestCluster({ policy, instances });
  const file = join(cluster.secretsDir, secretFiles.sealKeys);
  const old = readFileSync(file, 'utf8').trim();
  const next = sealKeyText({ id: 'k2', secret: randomBytes(32) });
  const checks = keepChecking(cluster);
  const [first, second, open] = [await held(cluster), await held(cluster), await held(cluster)];

  await restartWith(cluster, file, [old, next]);
  expect((await cluster.admin.vote(first, { vote: 'approve' })).body.decision).toBe('allowed');
  await checks.goOn();
  await restartWith(cluster, file, [next, old]);
  // The request and what followed it carry the old seal, the vote and the decision the new one.
  expect((await cluster.admin.vote(second, { vote: 'approve' })).body.decision).toBe('allowed');
  expect((await cluster.agent.answer(second)).body.decision).toBe('allowed');
  expect(await sealsOf(cluster, second)).toEqual(['k1', 'k1', 'k2', 'k2']);
  await checks.goOn();
  expect(await alarmsOf(cluster)).toEqual([]);

  await restartWith(cluster, file, [next]);
  await checks.goOn();
  expect(await checks.end()).toEqual(new Set(['allowed']));
  // Nothing of the configuration needs the old key: keys, tokens, policies and signing keys are there.
  expect(await configurationAlarms(cluster)).toEqual([]);
  const { body: keys } = await createClient(cluster.of('gateway')[0]?.url ?? '').get(
    '/.well-known/jwks.json',
  );
  expect(keys.keys).toHaveLength(2);
  // What was stored under the old key and is not over counts no more.
  const vote = await cluster.admin.vote(open, { vote: 'approve' });
  expect(vote.body.decision).not.toBe('allowed');
  const answer = (await cluster.agent.answer(open)).body;
  expect(answer).toMatchObject({
    decision: 'denied',
    reason: expect.stringContaining('An alarm was raised'),
  });
  await eventually(async () => expect(await alarmsOf(cluster)).toContain('wrong_seal'));
}, 600_000);

/** One after another, so that of each service that has two one is always there. */
async function restartWith(cluster: TestCluster, file: string, keys: string[]): Promise<void> {
  writeFileSync(file, `${keys.join('\n')}\n`);
  const restart = async (one: ServiceProcess) => {
    await one.end();
    await one.start();
  };
  for (const service of sealing) for (const one of cluster.of(service)) await restart(one);
}

/** An agent that checks one action after another, at whichever gateway there is, as behind a balancer. */
function keepChecking(cluster: TestCluster) {
  const gateways = cluster.of('gateway').map(({ url }) => createClient(url, cluster.agentKey));
  const decisions: string[] = [];
  let stopped = false;
  const run = (async () => {
    while (!stopped) {
      decisions.push(await decisionOf(gateways));
      // The pace of an agent, not a wait for anything.
      await pause(50);
    }
  })();
  const end = async () => {
    stopped = true;
    await run;
    return new Set(decisions);
  };
  releaseAfterTest('checks', async () => void (await end()));
  return {
    end,
    async goOn() {
      const before = decisions.length;
      await eventually(() => expect(decisions.length).toBeGreaterThan(before + 5), patienceMs);
    },
  };
}

/** One check under one idempotency key, asked for again where a gateway goes away or answers that it is not decided. */
async function decisionOf(gateways: Client[]): Promise<string> {
  const check = { action_name: 'read.mail', payload: {}, idempotency_key: randomUUID() };
  let attempt = 0;
  return eventually(async () => {
    const gateway = gateways[attempt++ % gateways.length] as Client;
    const { body } = await gateway.check(check, '?wait=5');
    expect(body.decision).toMatch(/allowed|denied|expired/);
    return body.decision;
  }, patienceMs);
}

type AuditRecord = { type: string; body: string; seal: string | null };

async function recordsOf({ admin }: TestCluster, query: string): Promise<AuditRecord[]> {
  const { status, body } = await admin.get(`/v1/audit?limit=500&${query}`);
  expect(status).toBe(200);
  return body.records;
}

/** By which key each event that bears on the decision is sealed. */
async function sealsOf(cluster: TestCluster, id: string): Promise<string[]> {
  const types = ['action.requested', 'approval.needed', 'approval.voted', 'action.decided'];
  return eventually(async () => {
    const records = (await recordsOf(cluster, `action=${id}`)).filter(({ type }) => types.includes(type));
    expect(records.map(({ type }) => type)).toEqual(types);
    return records.map(({ seal }) => seal?.split('.')[0] ?? '');
  });
}

async function alarmsOf(cluster: TestCluster): Promise<string[]> {
  return (await recordsOf(cluster, 'type=alarm.raised')).map(({ body }) => JSON.parse(body).data.kind);
}

async function configurationAlarms(cluster: TestCluster): Promise<string[]> {
  return (await alarmsOf(cluster)).filter((kind) => kind === 'configuration_forged');
}
