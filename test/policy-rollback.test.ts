import { digestOfText } from '@placet/proof';
import { eventually } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { allowing, at, denying, json, versionsOn } from './policy-scopes.ts';
import { personWith, sharedPlacet, wholeRecord } from './support.ts';

const shared = sharedPlacet();
const { newScope, put, remove, sealed, stored, threeVersions, versionsOf, write } = versionsOn(shared);

describe('a rollback', () => {
  test('puts an earlier text in force again under its digest, and the next decision names it', async () => {
    const { scope, revisions } = await threeVersions();
    const { admin, agent } = shared();
    const ask = () =>
      agent.check({ action_name: 'read.mail', payload: {}, policy: scope.slice('named:'.length) });
    expect((await ask()).body.decision).toBe('denied');

    const rolled = await admin.post(at(scope, '/rollback'), { revision: revisions[0] });

    expect(rolled).toMatchObject({
      status: 200,
      body: { scope, text: allowing, why: `rollback to revision ${revisions[0]}` },
    });
    expect(rolled.body.digest).toBe(digestOfText(allowing));
    expect(rolled.body.revision).toBeGreaterThan(revisions[2]);
    const { body: answer } = await eventually(async () => {
      const asked = await ask();
      expect(asked.body.decision).toBe('allowed');
      return asked;
    });
    const named = { scope, digest: digestOfText(allowing), revision: rolled.body.revision };
    expect(answer.policies).toContainEqual(expect.objectContaining(named));
    const [newest] = await versionsOf(scope);
    expect(newest).toMatchObject({ revision: rolled.body.revision, in_force: true, removed: false });

    await eventually(async () => {
      const { body } = await admin.get(`/v1/audit?type=action.decided&action=${answer.action_id}`);
      expect(body.records).toHaveLength(1);
      expect(JSON.parse(body.records[0].body).data.policies).toContainEqual(expect.objectContaining(named));
    });
    const changes = await wholeRecord(shared(), '&type=config.changed');
    expect(changes.map(({ body }) => body).join('')).toContain(`rollback to revision ${revisions[0]}`);
  });

  test('says why, when it is told why, and who', async () => {
    const { scope, revisions } = await threeVersions();
    const boss = await personWith(shared(), 'boss-v@example.com', ['admin']);

    await boss.post(at(scope, '/rollback'), { revision: revisions[1], why: 'too many were denied' });

    const [newest] = await versionsOf(scope);
    expect(newest).toMatchObject({ why: 'too many were denied', changed_by: boss.id });
  });

  test('brings back a policy that was taken away', async () => {
    const { scope, revisions } = await threeVersions();
    await remove(scope);

    const rolled = await shared().admin.post(at(scope, '/rollback'), { revision: revisions[2] });

    expect(rolled.status).toBe(200);
    expect((await shared().admin.get(at(scope))).body).toBe(denying);
  });

  test('to where the policy was taken away is refused, and says what to do', async () => {
    const { scope } = await threeVersions();
    const revision = await remove(scope);
    await put(scope, allowing);

    const refused = await shared().admin.post(at(scope, '/rollback'), { revision });

    expect(refused).toMatchObject({ status: 404, body: { message: expect.stringContaining('DELETE') } });
    expect((await shared().admin.get(at(scope))).body).toBe(allowing);
  });

  test('to a revision that is not there is refused, and so is a body that does not fit', async () => {
    const { scope, revisions } = await threeVersions();
    const { admin } = shared();
    const path = at(scope, '/rollback');

    expect(await admin.post(path, { revision: revisions[0] + 1 })).toMatchObject({
      status: 404,
      body: { details: { revisions: revisions.toReversed() } },
    });
    expect((await admin.post(at('named:nothing', '/rollback'), { revision: 1 })).status).toBe(404);
    for (const body of [{}, { revision: '1' }, { revision: 0 }, { revision: 1, text: denying }, [], 'why']) {
      const refused = await admin.post(path, body);
      expect(refused.status, JSON.stringify(body)).toBe(body === 'why' ? 400 : 422);
      expect(refused.body).toMatchObject({ error: expect.any(String), request_id: expect.any(String) });
    }
    const yaml = await admin.post(path, 'revision: 1', { 'content-type': 'application/yaml' });
    expect(yaml).toMatchObject({ status: 415, body: { error: 'UNSUPPORTED_MEDIA_TYPE' } });
    expect(await admin.get(path)).toMatchObject({ status: 405, body: { error: 'METHOD_NOT_ALLOWED' } });
    expect((await versionsOf(scope))[0]?.revision).toBe(revisions[2]);
  });

  test('over a change of somebody else is refused; of many at once with one ETag, one is done', async () => {
    const { scope, revisions } = await threeVersions();
    const { admin } = shared();
    const path = at(scope, '/rollback');
    const stale = await admin.post(path, { revision: revisions[0] }, { 'if-match': `"${revisions[1]}"` });
    expect(stale).toMatchObject({ status: 409, body: { error: 'REVISION_CONFLICT' } });
    const noTag = await admin.post(path, { revision: revisions[0] }, { 'if-match': 'yesterday' });
    expect(noTag).toMatchObject({ status: 422, body: { error: 'VALIDATION_ERROR' } });
    expect((await versionsOf(scope))[0]?.revision).toBe(revisions[2]);

    const etag = (await admin.get(at(scope))).headers.get('etag') ?? '';
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        admin.post(path, { revision: revisions[i % 2] }, { 'if-match': etag }),
      ),
    );

    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(409)]);
    const won = replies.find(({ status }) => status === 200)?.body;
    expect((await versionsOf(scope)).length).toBe(4);
    expect((await admin.get(at(scope), json)).body).toMatchObject({ revision: won.revision, text: won.text });
  });

  test('to a text that this version refuses is refused, and the running one stays', async () => {
    const scope = newScope();
    const first = await put(scope, allowing);
    const old = await write(scope, sealed(scope, 'version: 0\nallow: everything\n', first));
    await put(scope, denying);

    const refused = await shared().admin.post(at(scope, '/rollback'), { revision: old });

    expect(refused).toMatchObject({ status: 422, body: { error: 'POLICY_REFUSED' } });
    expect(refused.body.details[0]).toMatchObject({ line: 1, column: expect.any(Number) });
    expect((await shared().admin.get(at(scope))).body).toBe(denying);
    expect((await shared().admin.get(at(scope, `/versions/${old}`))).body).toContain('allow: everything');
  });
});

describe('Fail closed: a version that Placet did not write', () => {
  test.each<[string, (scope: string, first: number) => Promise<number>]>([
    ['without a seal', (scope) => write(scope, JSON.stringify({ value: { scope, text: allowing } }))],
    ['that is the first one, put back', async (scope, first) => write(scope, await stored(first))],
    [
      "that is another scope's, with its seal",
      async (scope) => write(scope, await stored(await put(newScope(), allowing))),
    ],
  ])('%s is shown as that, and is neither read nor put back', async (_how, forge) => {
    const { admin } = shared();
    const scope = newScope();
    const first = await put(scope, allowing);
    const second = await put(scope, denying);
    const forged = await forge(scope, first);

    const versions = await versionsOf(scope);

    expect(versions[0]).toEqual({
      revision: forged,
      in_force: false,
      cannot_be_trusted: expect.any(String),
    });
    expect(versions.map((version) => version.in_force)).toEqual([false, false, false]);
    const untrusted = { status: 404, body: { message: expect.stringContaining('cannot be trusted') } };
    for (const accept of ['application/json', 'application/yaml']) {
      const read = await admin.get(at(scope, `/versions/${forged}`), { accept });
      expect(read).toMatchObject(untrusted);
      expect(JSON.stringify(read.body)).not.toContain('default: allow');
    }
    expect(await admin.get(at(scope, '/diff'))).toMatchObject(untrusted);
    expect(await admin.get(at(scope, `/diff?from=${forged}&to=${first}`))).toMatchObject(untrusted);
    expect(await admin.post(at(scope, '/rollback'), { revision: forged })).toMatchObject(untrusted);

    // The genuine one before it heals.
    const healed = await admin.post(at(scope, '/rollback'), { revision: second });
    expect(healed.status).toBe(200);
    expect((await admin.get(at(scope))).body).toBe(denying);
    const after = await versionsOf(scope);
    expect(after[0]).toMatchObject({ in_force: true, digest: digestOfText(denying) });
    expect(after[1]).toMatchObject({ revision: forged, cannot_be_trusted: expect.any(String) });
  });
});
