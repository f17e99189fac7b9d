import { join } from 'node:path';
import { loadKeys, readPlacetSettings, startPlacet } from '@placet/embedded';
import { configBuckets, policyKey } from '@placet/events';
import { digestOfText, type Sealer } from '@placet/proof';
import { createLogger } from '@placet/runtime';
import {
  createClient,
  eventually,
  natsServerBinary,
  releaseAfterEach,
  releaseAfterTest,
  startTestPlacet,
  temporaryDirectory,
} from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { agentNamed, alarmKinds, decided, held, policy, put, type RawBroker, rawBroker } from '../support.ts';

releaseAfterEach();

const guardrail = 'version: 1\nrules:\n  - action: read.secret\n    decide: deny\n';
const key = policyKey('guardrail');
const reading = { action_name: 'read.mail', payload: {} };

type Breach = (raw: RawBroker, sealer: Sealer, revision: number) => Promise<unknown>;
const write = async (raw: RawBroker, text: string) =>
  (await raw.bucket(configBuckets.policies)).put(key, text);
const sealedValue = (sealer: Sealer, value: unknown, replaces: number) => {
  const body = JSON.stringify({ value, by: 'test', at: new Date().toISOString(), replaces });
  const seal = sealer.seal(`${configBuckets.policies}.${key}`, body);
  return `${body.slice(0, -1)},"seal":"${seal}"}`;
};
const text = (yaml: string) => ({ scope: 'guardrail', text: yaml, digest: digestOfText(yaml) });

const forgeries: Record<string, Breach> = {
  'a raw value without a seal': (raw) =>
    write(raw, JSON.stringify({ value: text('version: 1\ndefault: allow') })),
  'a value with a wrong seal': (raw, _sealer, revision) => {
    const allowing = sealedValue(otherSealer(), text('version: 1\ndefault: allow\n'), revision);
    return write(raw, allowing);
  },
  'a value sealed for another place': (raw, sealer, revision) => {
    const body = JSON.stringify({
      value: text('version: 1\n'),
      by: 'x',
      at: '2026-01-01T00:00:00.000Z',
      replaces: revision,
    });
    return write(
      raw,
      `${body.slice(0, -1)},"seal":"${sealer.seal(`${configBuckets.policies}.default`, body)}"}`,
    );
  },
  'an old value put back': async (raw) => {
    const bucket = await raw.bucket(configBuckets.policies);
    return bucket.put(key, (await bucket.get(key))?.string() ?? '');
  },
  'a sealed value that is not JSON': (raw, sealer) => {
    const body = '{"value":broken}';
    const seal = sealer.seal(`${configBuckets.policies}.${key}`, body);
    return write(raw, `${body.slice(0, -1)},"seal":"${seal}"}`);
  },
  'a sealed value of another form': (raw, sealer, revision) =>
    write(raw, sealedValue(sealer, { rules: [] }, revision)),
  'a raw delete': async (raw) => (await raw.bucket(configBuckets.policies)).delete(key),
};

function otherSealer(): Sealer {
  return loadKeys(join(temporaryDirectory(), 'other')).sealer;
}

describe('rule 1: fail closed', () => {
  test('without any policy at all a person is asked', async () => {
    const settings = readPlacetSettings({
      PLACET_PORT: '0',
      PLACET_SYNC_ALWAYS: 'false',
      PLACET_DATA: join(temporaryDirectory(), 'data'),
    });
    const logger = createLogger({ level: 'silent' });
    const placet = await startPlacet({ settings, natsServer: natsServerBinary(), logger });
    releaseAfterTest('placet', () => placet.close());
    const { key: agentKey } = await placet.gateway.agents.create('robot', 'nobody', 'test', new Date());
    const agent = createClient(placet.gateway.url, agentKey);

    const { body } = await agent.check({ action_name: 'read.mail', payload: {} });

    expect(body).toMatchObject({
      decision: 'pending',
      rule: null,
      approval: { approvers: ['role:approver'] },
    });
  });

  test.each(Object.entries(forgeries))(
    '%s in place of the guardrail: what it allowed is denied, and an alarm is raised',
    async (_name, breach) => {
      const { agent, admin, placet, dataDir } = await startTestPlacet({ policy });
      await put({ admin }, 'guardrail', guardrail);
      expect((await agent.check(reading)).body.decision).toBe('allowed');
      const raw = await rawBroker(placet);
      const entry = await (await raw.bucket(configBuckets.policies)).get(key);

      await breach(raw, loadKeys(dataDir).sealer, entry?.revision ?? 0);

      await eventually(async () => expect(await alarmKinds(raw)).toContain('configuration_forged'));
      const { body } = await agent.check(reading);
      expect(body).toMatchObject({ decision: 'denied', rule: null });
      expect(body.reason).toContain('the policy guardrail cannot be used');

      // The same for whoever starts later, and until a person puts it right.
      await placet.stop('policy');
      await placet.start('policy');
      expect((await agent.check(reading)).body.decision).toBe('denied');
      await put({ admin }, 'guardrail', guardrail);
      await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('allowed'));
    },
  );

  test('the guardrail cannot be made forgotten: neither a key nor its bucket can be purged', async () => {
    const started = await startTestPlacet({ policy });
    await put(started, 'guardrail', guardrail);
    const raw = await rawBroker(started.placet);
    const stream = `KV_${configBuckets.policies}`;

    await expect((await raw.bucket(configBuckets.policies)).purge(key)).rejects.toThrow();
    await expect(raw.jsm.streams.purge(stream)).rejects.toThrow();
    await expect(raw.jsm.streams.deleteMessage(stream, 1, false)).rejects.toThrow();

    const secret = { action_name: 'read.secret', payload: {} };
    expect((await started.agent.check(secret)).body).toMatchObject({
      decision: 'denied',
      rule: 'rule for read.secret',
    });
  });

  test.each([
    ['that does not parse', text('version: 1\nrules: [')],
    ['of another version of the language', text('version: 9\ndefault: allow\n')],
    [
      'whose digest is that of another text',
      { ...text('version: 1\ndefault: allow\n'), digest: digestOfText('') },
    ],
  ])('a sealed policy %s denies', async (_name, value) => {
    const { agent, placet, dataDir } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);

    await write(raw, sealedValue(loadKeys(dataDir).sealer, value, 0));

    await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('denied'));
  });

  test('an agent or a person whose entry is not ours is unknown', async () => {
    const { agent, admin, placet } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    const other = await agentNamed({ admin, url: placet.gateway.url }, 'other');
    expect((await other.check(reading)).status).toBe(200);

    const agents = await raw.bucket(configBuckets.agents);
    await agents.put(
      'other',
      (await agents.get('other'))?.string().replace('"disabled":false', '"disabled":0') ?? '',
    );
    const people = await raw.bucket(configBuckets.people);
    const [id = ''] = await Array.fromAsync(await people.keys());
    await people.put(id, JSON.stringify({ value: { roles: ['admin'] } }));

    await eventually(async () => {
      expect((await other.check(reading)).status).toBe(401);
      expect((await admin.get('/v1/people/me')).status).toBe(401);
    });
    expect((await agent.check(reading)).status).toBe(200);
    await eventually(async () => {
      const alarms = (await alarmKinds(raw)).filter((kind) => kind === 'configuration_forged');
      expect(alarms).toHaveLength(2);
    });
  });

  test('an unknown policy that the caller names denies', async () => {
    const { agent } = await startTestPlacet({ policy });

    const { body } = await agent.check({ ...reading, policy: 'strict' });

    expect(body).toMatchObject({ decision: 'denied' });
    expect(body.reason).toContain('there is no such policy');
  });

  test('nobody answers in time: denied', async () => {
    const { agent, admin } = await startTestPlacet({ policy });

    const id = await held({ agent }, { timeout: '1s' });

    await decided(agent, id, 'denied');
    expect((await agent.answer(id)).body.decided_by).toEqual(['timeout']);
    expect((await admin.vote(id, { vote: 'approve' })).body.error).toBe('ALREADY_DECIDED');
    expect((await agent.answer(id)).body.decision).toBe('denied');
  });
});
