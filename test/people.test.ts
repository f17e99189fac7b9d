import { adminToken } from '@placet/embedded';
import { createClient, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { held, personWith, policy } from './support.ts';

releaseAfterEach();

const email = 'ann@example.com';

describe('a person', () => {
  test('is made with a first token, is an approver unless said otherwise, and can vote', async () => {
    const started = await startTestPlacet({ policy });
    const { admin, url } = started;

    const made = await admin.post('/v1/people', { email: 'Ann@Example.com', name: 'Ann' });

    expect(made).toMatchObject({
      status: 201,
      body: {
        person: { email, name: 'Ann', roles: ['approver'], disabled: false },
        token: expect.any(String),
      },
    });
    const ann = createClient(url, made.body.token);
    expect((await ann.get('/v1/people/me')).body).toEqual(made.body.person);
    const id = await held(started);
    expect((await ann.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
    expect((await admin.get(`/v1/people/${made.body.person.id}`)).body.email).toBe(email);
    expect((await admin.get('/v1/people')).body.people).toHaveLength(2);
  });

  test('is one for each address, however it is written, also when it was disabled', async () => {
    const started = await startTestPlacet();
    const { admin } = started;
    const ann = await personWith(started, email, []);
    await admin.patch(`/v1/people/${ann.id}`, { disabled: true });

    expect(await admin.post('/v1/people', { email: 'ANN@example.com' })).toMatchObject({
      status: 409,
      body: { error: 'ALREADY_EXISTS' },
    });
  });

  test('that is disabled is nobody, and comes back when it is enabled', async () => {
    const started = await startTestPlacet({ policy });
    const { admin } = started;
    const ann = await personWith(started, email, ['approver']);
    const id = await held(started);

    await admin.patch(`/v1/people/${ann.id}`, { disabled: true });
    expect((await ann.vote(id, { vote: 'approve' })).status).toBe(401);

    await admin.patch(`/v1/people/${ann.id}`, { disabled: false });
    expect((await ann.vote(id, { vote: 'approve' })).status).toBe(200);
  });

  test.each([
    [{ email: 'ann' }, 'email'],
    [{}, 'email'],
    [{ email, roles: ['Boss'] }, 'roles[0]'],
    [{ email, roles: ['a b'] }, 'roles[0]'],
    [{ email, roles: 'admin' }, 'roles'],
    [{ email, token: 'mine' }, 'token'],
    [{ email, id: 'per_1' }, 'id'],
  ])('%j is refused', async (body, path) => {
    const { admin } = await startTestPlacet();

    expect(await admin.post('/v1/people', body)).toMatchObject({
      status: 422,
      body: { details: [{ path }] },
    });
  });

  test('without the role of an administrator changes nobody but its own tokens', async () => {
    const started = await startTestPlacet();
    const { admin } = started;
    const ann = await personWith(started, email, ['approver', 'auditor']);
    const bob = await personWith(started, 'bob@example.com', ['approver']);

    const refused = [
      await ann.post('/v1/people', { email: 'eve@example.com' }),
      await ann.patch(`/v1/people/${ann.id}`, { roles: ['admin'] }),
      await ann.patch(`/v1/people/${bob.id}`, { disabled: true }),
      await ann.post(`/v1/people/${bob.id}/tokens`),
      await ann.post('/v1/agents', { name: 'mine' }),
      await ann.put('/v1/policies/default', 'version: 1\ndefault: allow\n'),
      await bob.get('/v1/people'),
      await bob.get(`/v1/people/${ann.id}`),
      await bob.get('/v1/agents'),
      await bob.get('/v1/audit'),
    ];

    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    expect((await bob.get('/v1/people/me')).status).toBe(200);
    expect((await admin.get(`/v1/people/${ann.id}`)).body.roles).toEqual(['approver', 'auditor']);
  });
});

describe('the tokens of a person', () => {
  test('are several; who holds one makes and revokes its own', async () => {
    const started = await startTestPlacet();
    const { url } = started;
    const ann = await personWith(started, email, []);

    const made = (await ann.post(`/v1/people/${ann.id}/tokens`)).body;
    const second = createClient(url, made.token);
    expect((await second.get('/v1/people/me')).status).toBe(200);

    const [first] = (await ann.get('/v1/people/me')).body.tokens;
    expect((await second.delete(`/v1/people/${ann.id}/tokens/${first.id}`)).status).toBe(200);
    expect((await ann.get('/v1/people/me')).status).toBe(401);
    expect((await second.get('/v1/people/me')).status).toBe(200);
    expect((await second.delete(`/v1/people/${ann.id}/tokens/unknown`)).status).toBe(404);
  });

  test('make none that outlives them', async () => {
    const started = await startTestPlacet();
    const ann = await personWith(started, email, []);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const later = new Date(Date.now() + 7_200_000).toISOString();
    const first = await ann.post(`/v1/people/${ann.id}/tokens`, { expires_at: soon });
    const ending = createClient(started.url, first.body.token);

    const child = await ending.post(`/v1/people/${ann.id}/tokens`);
    const view = (await ann.get('/v1/people/me')).body;
    const expires_at = view.tokens.find(({ id }: { id: string }) => id === child.body.id).expires_at;
    expect(expires_at).toBe(soon);
    await started.admin.call('PATCH', `/v1/people/${ann.id}`, { roles: ['admin'] });
    const bob = (await ending.post('/v1/people', { email: 'bob@example.com', roles: [] })).body.person;
    expect(bob.tokens[0].expires_at).toBe(soon);
    expect(await ending.post(`/v1/people/${ann.id}/tokens`, { expires_at: later })).toMatchObject({
      status: 422,
      body: { details: [{ path: 'expires_at' }] },
    });
  });

  test('that work are never pushed out by those that were revoked', async () => {
    const started = await startTestPlacet();
    const ann = await personWith(started, email, []);

    for (let i = 0; i < 45; i++) {
      const { id } = (await ann.post(`/v1/people/${ann.id}/tokens`)).body;
      await started.admin.delete(`/v1/people/${ann.id}/tokens/${id}`);
    }

    expect((await ann.get('/v1/people/me')).status).toBe(200);
  });
});

describe('the last administrator', () => {
  test('stays one until there is another', async () => {
    const started = await startTestPlacet();
    const { admin } = started;
    const { id } = (await admin.get('/v1/people/me')).body;

    for (const change of [{ disabled: true }, { roles: ['approver'] }, { roles: [] }]) {
      const refused = await admin.patch(`/v1/people/${id}`, change);
      expect(refused).toMatchObject({ status: 422, body: { error: 'VALIDATION_ERROR' } });
      expect(refused.body.message).toContain('last administrator');
    }
    expect((await admin.get('/v1/people/me')).body.roles).toContain('admin');

    const ann = await personWith(started, email, ['admin']);
    expect((await ann.patch(`/v1/people/${id}`, { roles: ['approver'] })).status).toBe(200);
    expect((await ann.patch(`/v1/people/${ann.id}`, { disabled: true })).status).toBe(422);
  });

  test('a disabled one does not count', async () => {
    const started = await startTestPlacet();
    const { admin } = started;
    const { id } = (await admin.get('/v1/people/me')).body;
    const ann = await personWith(started, email, ['admin']);
    await admin.patch(`/v1/people/${ann.id}`, { disabled: true });

    expect((await admin.patch(`/v1/people/${id}`, { disabled: true })).status).toBe(422);
  });

  test('two who take the role from each other at once do not leave nobody', async () => {
    const started = await startTestPlacet();
    const { id } = (await started.admin.get('/v1/people/me')).body;
    const ann = await personWith(started, email, ['admin']);
    const { people } = started.placet.gateway;

    const ends = await Promise.allSettled([
      people.update(ann.id, { roles: [] }, id),
      people.update(id, { disabled: true }, ann.id),
    ]);

    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const admins = people.list().filter(({ roles, disabled }) => roles.includes('admin') && !disabled);
    expect(admins).toHaveLength(1);
  });

  test('on the machine itself whoever was one becomes one again, when there is none', async () => {
    const started = await startTestPlacet();
    const { id, email: own } = (await started.admin.get('/v1/people/me')).body;
    const { people } = started.placet.gateway;
    const ann = await personWith(started, email, ['admin']);
    await people.update(id, { roles: [], disabled: true }, ann.id);
    // As two gateways can let it happen at one moment.
    const list = people.list;
    const withoutAnn = { ...people, list: () => list().filter((person) => person.id !== ann.id) };

    const token = await adminToken({ people: withoutAnn }, own);

    expect((await createClient(started.url, token).get('/v1/people/me')).body.roles).toContain('admin');
  });

  test('on the machine itself a lost token is replaced', async () => {
    const started = await startTestPlacet();
    const token = await adminToken(started.placet.gateway, 'admin@example.com');

    const again = createClient(started.url, token);

    expect((await again.get('/v1/people/me')).body.roles).toContain('admin');
  });
});
