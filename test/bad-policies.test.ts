import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, releaseAfterEach, startTestPlacet, temporaryDirectory } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { policy, startWithLog } from './support.ts';

releaseAfterEach();

const reading = { action_name: 'read.mail', payload: {} };
const denying = 'version: 1\ndefault: deny\n';

describe('a policy that is put', () => {
  test('for a scope that has none is not there: 404', async () => {
    const { admin } = await startTestPlacet();

    expect((await admin.get('/v1/policies/named:nothing')).status).toBe(404);
  });

  test('over a change of somebody else is refused', async () => {
    const { agent, admin } = await startTestPlacet({ policy });
    const etag = (await admin.get('/v1/policies/default')).headers.get('etag') ?? '';
    const changed = await admin.put('/v1/policies/default', `${policy}# mine\n`, { 'if-match': etag });
    expect(changed.status).toBe(200);

    const refused = await admin.put('/v1/policies/default', denying, { 'if-match': etag });

    expect(refused).toMatchObject({ status: 409, body: { error: 'REVISION_CONFLICT' } });
    expect((await agent.check(reading)).body.decision).toBe('allowed');
    expect((await admin.put('/v1/policies/default', denying, { 'if-match': 'yesterday' })).status).toBe(422);
    expect((await admin.put('/v1/policies/named:new', denying, { 'if-match': '7' })).status).toBe(409);
  });

  test('is in force for the next request, and is read back as it was written', async () => {
    const { agent, admin } = await startTestPlacet({ policy });
    const text = `# A comment with ünïcode ✓\n${denying}`;

    await admin.put('/v1/policies/default?why=an%20exercise', text);

    await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('denied'));
    expect((await admin.get('/v1/policies/default')).body).toBe(text);
    const shown = await admin.get('/v1/policies/default', { accept: 'application/json' });
    expect(shown.body).toMatchObject({ text, why: 'an exercise', scope: 'default' });
    expect((await agent.check(reading)).body.policies[0].digest).toBe(shown.body.digest);
  });
});

describe('a policy from a file', () => {
  async function startWithFile() {
    const file = join(temporaryDirectory(), 'policy.yaml');
    writeFileSync(file, policy);
    const started = await startTestPlacet({ env: { PLACET_POLICY: file } });
    return { file, ...started };
  }

  test('is applied at the start, and followed when it changes', async () => {
    const { file, agent, admin } = await startWithFile();
    expect((await agent.check(reading)).body.decision).toBe('allowed');

    writeFileSync(file, denying);
    await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('denied'));

    // As editors do it, and with nothing there in between.
    rmSync(file);
    writeFileSync(`${file}.new`, policy);
    renameSync(`${file}.new`, file);
    await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('allowed'));
    expect((await admin.get('/v1/policies/default')).body).toBe(policy);
  });

  test('a broken text leaves the running one, and the log says why, until the file is mended', async () => {
    const file = join(temporaryDirectory(), 'policy.yaml');
    writeFileSync(file, policy);
    const { agent, admin, log } = await startWithLog({ PLACET_POLICY: file });

    writeFileSync(file, 'version: 1\ndefault: alow\n');

    await eventually(() => expect(log.join('')).toMatch(/policy file was not applied.*line 2, column 10/));
    expect((await admin.get('/v1/policies/default')).body).toBe(policy);
    expect((await agent.check(reading)).body.decision).toBe('allowed');

    writeFileSync(file, denying);
    await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('denied'));
  });

  test('wins over PUT for its scope, which names it; other scopes are free', async () => {
    const { file, agent, admin } = await startWithFile();

    const refused = await admin.put('/v1/policies/default', denying);

    expect(refused).toMatchObject({ status: 409, body: { error: 'POLICY_FROM_FILE', details: { file } } });
    expect(refused.body.message).toContain(file);
    expect((await agent.check(reading)).body.decision).toBe('allowed');
    const shown = await admin.get('/v1/policies/default', { accept: 'application/json' });
    expect(shown.body).toMatchObject({ file, changed_by: 'file' });
    expect((await admin.put('/v1/policies/named:x', denying)).status).toBe(200);
  });

  test('shows its versions, and is not rolled back: whoever wants an earlier one changes the file', async () => {
    const { file, admin } = await startWithFile();
    const before = (await admin.get('/v1/policies/default/versions')).body;
    expect(before.versions).toMatchObject([{ changed_by: 'file', in_force: true }]);

    const { revision } = before.versions[0];
    const refused = await admin.post('/v1/policies/default/rollback', { revision });

    expect(refused).toMatchObject({ status: 409, body: { error: 'POLICY_FROM_FILE', details: { file } } });
    expect((await admin.get('/v1/policies/default/versions')).body).toEqual(before);
  });

  test('replaces at the start what was put before', async () => {
    const first = await startTestPlacet({ policy: denying });
    expect((await first.agent.check(reading)).body.decision).toBe('denied');
    await first.close();
    const file = join(temporaryDirectory(), 'policy.yaml');
    writeFileSync(file, policy);

    const second = await startTestPlacet({ dataDir: first.dataDir, env: { PLACET_POLICY: file } });

    expect((await second.agent.check(reading)).body.decision).toBe('allowed');
  });
});
