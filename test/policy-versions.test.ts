import { digestOfText } from '@placet/proof';
import { describe, expect, test } from 'vitest';
import { allowing, asking, at, denying, json, versionsOn } from './policy-scopes.ts';
import { personWith, sharedPlacet } from './support.ts';

const shared = sharedPlacet();
const { newScope, put, remove, threeVersions, versionsOf } = versionsOn(shared);

describe('the versions of a policy', () => {
  test('are listed newest first, with who, when and why, and which is in force', async () => {
    const { scope, revisions } = await threeVersions();
    const me = (await shared().admin.get('/v1/people/me')).body.id;

    const { status, body } = await shared().admin.get(at(scope, '/versions'));

    expect(status).toBe(200);
    const changed = { changed_by: me, changed_at: expect.stringMatching(/^\d{4}-.*Z$/), removed: false };
    expect(body).toEqual({
      scope,
      versions: [
        { revision: revisions[2], digest: digestOfText(denying), in_force: true, ...changed },
        { revision: revisions[1], digest: digestOfText(asking), in_force: false, why: 'safer', ...changed },
        {
          revision: revisions[0],
          digest: digestOfText(allowing),
          in_force: false,
          why: 'a beginning',
          ...changed,
        },
      ],
    });
  });

  test('say where the policy was taken away, and that none is in force then', async () => {
    const { scope, revisions } = await threeVersions();
    const revision = await remove(scope);

    const [newest, ...before] = await versionsOf(scope);

    expect(newest).toMatchObject({ revision, removed: true, in_force: false, why: 'removed' });
    expect(newest).not.toHaveProperty('digest');
    expect(before.map((version) => version.revision)).toEqual(revisions.toReversed());
    expect(before.every((version) => !version.in_force)).toBe(true);
    const gone = await shared().admin.get(at(scope, `/versions/${revision}`));
    expect(gone).toMatchObject({
      status: 404,
      body: { error: 'NOT_FOUND', message: expect.stringContaining('took the policy') },
    });
  });

  test('are read one by one, as YAML or as JSON, exactly as they were', async () => {
    const { scope, revisions } = await threeVersions();
    const { admin } = shared();
    const path = at(scope, `/versions/${revisions[1]}`);

    const yaml = await admin.get(path);
    const shown = await admin.get(path, json);

    expect(yaml).toMatchObject({ status: 200, body: asking });
    expect(yaml.headers.get('content-type')).toBe('application/yaml; charset=utf-8');
    expect(yaml.headers.get('etag')).toBe(`"${revisions[1]}"`);
    expect(shown.body).toMatchObject({
      scope,
      text: asking,
      revision: revisions[1],
      digest: digestOfText(asking),
      why: 'safer',
    });
    const newest = await admin.get(at(scope, `/versions/${revisions[2]}`), json);
    expect(newest.body).toEqual((await admin.get(at(scope), json)).body);
  });

  test('of which there is none are 404, and it says which there are', async () => {
    const { scope, revisions } = await threeVersions();
    const { admin } = shared();

    const unknown = await admin.get(at(scope, `/versions/${revisions[2] + 1}`));

    expect(unknown).toMatchObject({
      status: 404,
      body: { error: 'NOT_FOUND', details: { revisions: revisions.toReversed() } },
    });
    expect(unknown.body.message).toContain(revisions.toReversed().join(', '));
    expect(unknown.body.message).toContain('64');
    // The revision is another scope's.
    expect((await admin.get(at(scope, `/versions/${revisions[0] + 1}`))).status).toBe(404);
    for (const path of ['/versions', '/versions/1', '/diff']) {
      expect(await admin.get(at('named:nothing', path)), path).toMatchObject({ status: 404 });
    }
    for (const path of ['/versions/0', '/versions/first', '/versions?limit=3', '/diff?from=-1', '/diff?of=1'])
      expect(await admin.get(at(scope, path)), path).toMatchObject({
        status: 422,
        body: { error: 'VALIDATION_ERROR' },
      });
  });

  test('are kept, 64 of a scope, and the oldest that is left has nothing to be compared with', async () => {
    const scope = newScope();
    const revisions: number[] = [];
    for (let n = 1; n <= 66; n++) revisions.push(await put(scope, `${denying}# ${n}\n`));

    const versions = await versionsOf(scope);

    expect(versions.map((version) => version.revision)).toEqual(revisions.slice(2).toReversed());
    const oldest = await shared().admin.get(at(scope, `/diff?to=${revisions[2]}`));
    expect(oldest).toMatchObject({
      status: 404,
      body: { error: 'NOT_FOUND', message: expect.stringContaining('Name `from`') },
    });
    const whole = await shared().admin.get(at(scope, `/diff?from=0&to=${revisions[2]}`), json);
    expect(whole.body).toMatchObject({ added: 3, removed: 0 });
  });

  test('are for administrators, auditors and approvers; only administrators put one back', async () => {
    const { scope, revisions } = await threeVersions();
    const { agent, admin } = shared();
    const paths = ['/versions', `/versions/${revisions[0]}`, '/diff'];
    for (const role of ['auditor', 'approver', 'treasurer']) {
      const person = await personWith(shared(), `${role}-v@example.com`, [role]);
      for (const path of paths) {
        const expected = role === 'treasurer' ? 403 : 200;
        expect((await person.get(at(scope, path))).status, `${role} ${path}`).toBe(expected);
      }
      const refused = await person.post(at(scope, '/rollback'), { revision: revisions[0] });
      expect(refused).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });
    }
    for (const path of paths) {
      expect(await agent.get(at(scope, path)), path).toMatchObject({ body: { error: 'WRONG_CREDENTIAL' } });
    }
    const byAgent = await agent.post(at(scope, '/rollback'), { revision: revisions[0] });
    expect(byAgent).toMatchObject({ status: 403, body: { error: 'WRONG_CREDENTIAL' } });
    expect((await admin.get(at(scope))).body).toBe(denying);
  });
});

describe('what changed from one version to another', () => {
  test('is a unified diff, to the one in force from the one before it', async () => {
    const { scope, revisions } = await threeVersions();

    const { status, headers, body } = await shared().admin.get(at(scope, '/diff'));

    expect({ status, type: headers.get('content-type') }).toEqual({
      status: 200,
      type: 'text/x-diff; charset=utf-8',
    });
    expect(body).toBe(
      `--- ${scope}@${revisions[1]}\n+++ ${scope}@${revisions[2]}\n@@ -1,3 +1,2 @@\n` +
        '-# Ünïcode ✓\n version: 1\n-default: require_approval\n+default: deny\n',
    );
  });

  test('is told as JSON with how much it is, between any two and in either direction', async () => {
    const { scope, revisions } = await threeVersions();
    const [first, second, third] = revisions;
    const diff = async (query: string) => (await shared().admin.get(at(scope, `/diff${query}`), json)).body;

    expect(await diff(`?from=${first}&to=${third}`)).toEqual({
      from: first,
      to: third,
      added: 1,
      removed: 1,
      diff: expect.stringContaining('\n-default: allow\n+default: deny\n'),
    });
    expect(await diff(`?from=${third}&to=${first}`)).toMatchObject({
      diff: expect.stringContaining('\n-default: deny\n+default: allow\n'),
    });
    expect(await diff(`?to=${second}`)).toMatchObject({ from: first, to: second, added: 2, removed: 1 });
    expect(await diff(`?from=${first}`)).toMatchObject({ from: first, to: third });
    expect(await diff(`?to=${first}`)).toMatchObject({ from: 0, to: first, added: 2, removed: 0 });
    expect(await diff(`?from=${first}&to=${first}`)).toMatchObject({ diff: '', added: 0, removed: 0 });
  });

  test('shows a policy that was taken away as all removed, and put again as all added', async () => {
    const scope = newScope();
    await put(scope, allowing);
    await remove(scope);
    const removal = (await shared().admin.get(at(scope, '/diff'), json)).body;
    await put(scope, asking);
    const again = (await shared().admin.get(at(scope, '/diff'), json)).body;

    expect(removal).toMatchObject({ added: 0, removed: 2 });
    expect(again).toMatchObject({ from: removal.to, added: 3, removed: 0 });
  });
});
