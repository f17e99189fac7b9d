import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { configStream } from '@placet/events';
import { createClient, eventually, releaseAfterEach } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import {
  messagesIn,
  policy,
  rawBroker,
  startWithLog,
  webhookReceiver,
  webhookSecret,
  wholeRecord,
} from '../support.ts';

releaseAfterEach();

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The broker makes and removes files all the time: what is gone holds nothing. */
function holds(file: string, text: string): boolean {
  return unlessGone(() => readFileSync(file).includes(text)) ?? false;
}

/** Whether others than its owner may do anything with it. */
function isOpen(file: string): boolean {
  return unlessGone(() => (statSync(file).mode & 0o077) !== 0) ?? false;
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

describe('rule 10: secrets stay home', () => {
  test('no key, token or secret is in an event, a setting, the record, a file or the log', async () => {
    const { received, env } = await webhookReceiver();
    const started = await startWithLog(env);
    const { agent, admin, placet, dataDir, url, log } = started;
    await admin.put('/v1/policies/default', policy);
    const made = (await admin.post('/v1/agents', { name: 'robot' })).body;
    const rotation = `/v1/agents/robot/keys/${made.agent.keys[0].id}/rotation`;
    const rotated = (await admin.post(rotation, {})).body;
    const person = (await admin.post('/v1/people', { email: 'ann@example.com' })).body;
    const secrets = [
      started.agentKey,
      started.personToken,
      made.key,
      rotated.key,
      person.token,
      webhookSecret,
      webhookSecret.slice('whsec_'.length),
    ];
    const asked = { action_name: 'refund.create', payload: { card: 'payload-of-an-agent' } };
    const { action_id } = (await agent.check(asked)).body;
    await createClient(url, person.token).vote(action_id, { vote: 'approve' });
    await createClient(url, made.key).check(asked);
    await agent.check('{"broken"');
    await agent.check({ ...asked, surprise: 1 });
    const raw = await rawBroker(placet);
    await eventually(async () => {
      const types = (await wholeRecord(started)).map(({ type }) => type);
      expect(types.filter((type) => type === 'notification.sent')).toHaveLength(2);
    });

    const shown = [
      ...(await messagesIn(raw)).map(({ text }) => text),
      ...(await messagesIn(raw, configStream)).map(({ text }) => text),
      ...(await wholeRecord(started)).map((record) => JSON.stringify(record)),
      ...received.map(({ headers, body }) => JSON.stringify({ headers, body })),
      JSON.stringify((await admin.get('/v1/agents')).body),
      JSON.stringify((await admin.get('/v1/people')).body),
      (await admin.get('/metrics')).body,
      ...log,
    ];
    expect(log.length).toBeGreaterThan(0);
    for (const secret of secrets) {
      expect(shown.filter((text) => text.includes(secret))).toEqual([]);
      const holders = filesUnder(dataDir).filter((file) => holds(file, secret));
      expect(holders.map((file) => relative(dataDir, file))).toEqual(
        [started.agentKey, started.personToken].includes(secret) ? ['credentials.json'] : [],
      );
    }
    expect(log.join('')).not.toContain('payload-of-an-agent');
    const hashes = [JSON.stringify((await admin.get('/v1/agents')).body)].join('');
    expect(hashes).not.toContain('hash');
  });

  test("Placet's own keys are in files of their owner alone, and nowhere else", async () => {
    const started = await startWithLog({});
    const { dataDir, placet, log } = started;
    await started.agent.check({ action_name: 'read.mail', payload: {} });
    const keyFiles = filesUnder(join(dataDir, 'keys'));
    expect(keyFiles.map((file) => relative(dataDir, file)).sort()).toEqual([
      'keys/decisions.pem',
      'keys/master.key',
      'keys/policy.pem',
      'keys/seal.key',
      'keys/trusted-keys.json',
    ]);
    // The last holds public keys alone.
    const privateKeys = keyFiles.slice(0, -1).map((file) => readFileSync(file, 'utf8').trim());
    for (const key of [...privateKeys, placet.nats.password]) {
      const holders = filesUnder(dataDir).filter((file) => holds(file, key));
      for (const file of holders) expect(isOpen(file)).toBe(false);
      expect(log.join('')).not.toContain(key);
      expect(holders.length).toBeGreaterThan(0);
    }
    const open = [dataDir, ...filesUnder(dataDir)].filter(isOpen);
    const reachable = open.filter((file) => isReachable(dataDir, file));
    expect(reachable.map((file) => relative(dataDir, file))).toEqual([]);
  });

  test('what a stranger sends as a key is not in the log either', async () => {
    const { url, log } = await startWithLog({});

    await createClient(url, 'placet_agent_not-a-key').check({});
    await fetch(`${url}/v1/check?key=key-in-the-address`);

    expect(log.join('')).not.toMatch(/not-a-key|key-in-the-address/);
  });
});

/** Whether another user of the machine could open it: every directory above would have to let him through. */
function isReachable(dataDir: string, file: string): boolean {
  for (let path = join(file, '..'); path.startsWith(dataDir); path = join(path, '..')) {
    if (!isOpen(path)) return false;
  }
  return true;
}
