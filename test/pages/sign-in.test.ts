import { createHash } from 'node:crypto';
import { createClient, eventually } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { messagesIn, policy, sharedPlacet } from '../support.ts';
import { createVisitor, signedIn, textOf } from './visitor.ts';

const shared = sharedPlacet({ policy });

async function newLink(email: string) {
  const { admin } = shared();
  const { person, token } = (await admin.post('/v1/people', { email })).body;
  const { url, expires_at } = (await admin.post(`/v1/people/${person.id}/sign-in-links`)).body;
  return { person, token, url: url as string, path: new URL(url).pathname, expires_at };
}

describe('a link to sign in by', () => {
  test('signs nobody in by being looked at, and one person once by its button', async () => {
    const { path } = await newLink('ann@example.com');
    const scanner = createVisitor(shared().url);
    for (let i = 0; i < 3; i++) {
      expect(await scanner.get(path)).toMatchObject({ status: 200 });
      expect(scanner.jar.size).toBe(0);
    }
    const ann = createVisitor(shared().url);
    expect(textOf(await ann.get(path))).toContain('Sign in as ann@example.com');
    expect(await ann.send(path, {})).toMatchObject({ status: 303, location: '/approvals' });
    expect(textOf(await ann.get('/approvals'))).toContain('Nothing waits for you.');
    const second = createVisitor(shared().url);
    expect(await second.send(path, {})).toMatchObject({ status: 410 });
    expect(await second.get(path)).toMatchObject({ status: 410 });
    expect(await second.get('/approvals')).toMatchObject({
      status: 303,
      location: '/sign-in?next=%2Fapprovals',
    });
  });

  test('is taken by one of two who press at the same time', async () => {
    const { path } = await newLink('twice@example.com');
    const both = await Promise.all([1, 2].map(() => createVisitor(shared().url).send(path, {})));
    expect(both.map(({ status }) => status).toSorted()).toEqual([303, 410]);
  });

  test('of somebody who was disabled since is over', async () => {
    const { path, person } = await newLink('gone@example.com');
    await shared().admin.call('PATCH', `/v1/people/${person.id}`, { disabled: true });
    expect(await createVisitor(shared().url).send(path, {})).toMatchObject({ status: 410 });
  });

  test.each(['x', 'A'.repeat(43), '..%2f..', 'a'.repeat(5000)])(
    'that nobody made is over: %#',
    async (token) => {
      const { status } = await createVisitor(shared().url).get(`/sign-in/${token}`);
      expect([404, 410]).toContain(status);
    },
  );

  test('is made by administrators, and by everybody for themselves', async () => {
    const { token, person } = await newLink('maker@example.com');
    const { admin, url } = shared();
    const asMaker = (id: string) =>
      fetch(`${url}/v1/people/${id}/sign-in-links`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
    expect((await asMaker(person.id)).status).toBe(201);
    expect((await asMaker((await admin.get('/v1/people/me')).body.id)).status).toBe(403);
    expect((await shared().agent.post(`/v1/people/${person.id}/sign-in-links`)).status).toBe(403);
  });
});

describe('a token', () => {
  test('signs its owner in; a wrong one, or an agent key, nobody', async () => {
    const { token } = await newLink('token@example.com');
    const visitor = createVisitor(shared().url);
    await visitor.get('/sign-in');
    for (const wrong of ['placet_person_x', shared().agentKey, '']) {
      expect(await visitor.send('/sign-in', { token: wrong })).toMatchObject({ status: 401 });
    }
    const next = '/approvals/act_00000000000000000000000000000000';
    expect(await visitor.send('/sign-in', { token, next })).toMatchObject({ status: 303, location: next });
    expect(await visitor.get('/account')).toMatchObject({ status: 200 });
  });

  test.each(['//evil.example', 'https://evil.example', '/approvals/../x', '/docs', '/\\evil.example'])(
    'does not send its owner to %s',
    async (next) => {
      const visitor = createVisitor(shared().url);
      const { text } = await visitor.get(`/sign-in?next=${encodeURIComponent(next)}`);
      expect(text).not.toContain('evil');
      const token = shared().personToken;
      expect(await visitor.send('/sign-in', { token, next })).toMatchObject({ location: '/approvals' });
    },
  );
});

describe('a session', () => {
  test('is kept in a cookie that no script and no other host gets, and its secret is in no store', async () => {
    const { path } = await newLink('cookie@example.com');
    const visitor = createVisitor(shared().url);
    const { headers } = await visitor.send(path, {});
    const [cookie = ''] = headers.getSetCookie();
    expect(cookie).toMatch(
      /^__Host-placet=per_[0-9a-f]{24}\.\d+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure$/,
    );
    const secret = visitor.jar.get('__Host-placet')?.split('.')[2] ?? expect.fail('no cookie');
    const bodies = (await messagesIn(shared().raw, 'KV_placet-sessions')).map(
      ({ subject, text }) => `${subject} ${text}`,
    );
    expect(bodies.join('\n')).toContain('session.per_');
    expect(bodies.join('\n')).not.toContain(secret);
    expect(bodies.join('\n')).not.toContain(path.split('/').at(-1));
  });

  test('ends by signing out, and elsewhere by its owner or an administrator', async () => {
    const { person } = await newLink('leaving@example.com');
    const [one, two, three] = [
      await signedIn(shared(), person.id),
      await signedIn(shared(), person.id),
      await signedIn(shared(), person.id),
    ];
    const account = await one.get('/account');
    expect(textOf(account).match(/Visitor\/1/g)).toHaveLength(3);
    const ends = [...account.text.matchAll(/action="(\/account\/sessions\/\w+\/end)"/g)].map(
      ([, path = '']) => path,
    );
    const ownEnd = /action="(\/account\/sessions\/\w+\/end)"/.exec(
      account.text.split('(this one)')[1] ?? '',
    )?.[1];
    const kept = { ...Object.fromEntries(one.jar) };

    const out = await one.send('/sign-out', {});
    expect(textOf(await one.get(out.location ?? ''))).toContain('You are signed out.');
    one.jar.set('__Host-placet', kept['__Host-placet'] ?? '');
    expect(await one.get('/account')).toMatchObject({ status: 303 });

    await two.get('/account');
    const others = ends.filter((path) => path !== ownEnd);
    expect(others).toHaveLength(2);
    for (const path of others) await two.send(path, {});
    const open = await Promise.all(
      [two, three].map(async (visitor) => (await visitor.get('/account')).status),
    );
    // One of the two ended the other, and then its own.
    expect(open).toEqual([303, 303]);

    const again = await signedIn(shared(), person.id);
    const sessions = `/v1/people/${person.id}/sessions`;
    expect((await shared().admin.get(sessions)).body.sessions).toMatchObject([{ browser: 'Visitor/1' }]);
    expect((await shared().admin.call('DELETE', sessions)).body).toEqual({ ended: 1 });
    expect(await again.get('/account')).toMatchObject({ status: 303 });
  });

  test('of somebody who is disabled is over, and so is a link, also when they are back', async () => {
    const { admin, url } = shared();
    const { person, path } = await newLink('disabled@example.com');
    const visitor = await signedIn(shared(), person.id);
    const turned = (disabled: boolean) => admin.patch(`/v1/people/${person.id}`, { disabled });
    await turned(true);
    await eventually(async () => expect(await visitor.get('/account')).toMatchObject({ status: 303 }));
    await turned(false);
    const back = await signedIn(shared(), person.id);
    expect(await back.get('/account')).toMatchObject({ status: 200 });
    expect(await visitor.get('/account')).toMatchObject({ status: 303 });
    expect(await createVisitor(url).send(path, {})).toMatchObject({ status: 410 });
    const { sessions } = (await admin.get(`/v1/people/${person.id}/sessions`)).body;
    expect(sessions).toHaveLength(1);
  });

  test('more than fifty of one person there are not: the oldest ends, and none that ended takes room', async () => {
    const { admin, raw, url } = shared();
    const { person, token } = await newLink('many-sessions@example.com');
    const visitors = Array.from({ length: 53 }, () => createVisitor(url));
    for (const visitor of visitors) {
      expect(await visitor.send('/sign-in', { token })).toMatchObject({ status: 303 });
    }
    const open = await Promise.all(visitors.map(async (one) => (await one.get('/account')).status));
    expect(open).toEqual([...Array(3).fill(303), ...Array(50).fill(200)]);
    const sessions = `/v1/people/${person.id}/sessions`;
    expect((await admin.get(sessions)).body.sessions).toHaveLength(50);
    const ofPerson = async () => {
      const info = await raw.jsm.streams.info('KV_placet-sessions', {
        subjects_filter: `$KV.placet-sessions.session.${person.id}.>`,
      });
      return Object.keys(info.state.subjects ?? {}).length;
    };
    expect(await ofPerson()).toBe(50);
    expect((await admin.call('DELETE', sessions)).body).toEqual({ ended: 50 });
    expect((await admin.get(sessions)).body.sessions).toEqual([]);
    expect(await visitors[52]?.get('/account')).toMatchObject({ status: 303 });
    await eventually(async () => expect(await ofPerson()).toBe(0));
    expect(await createVisitor(url).send('/sign-in', { token })).toMatchObject({ status: 303 });
  });

  test('is one each of those that sign in at the same moment', async () => {
    const { admin, url } = shared();
    const { person, token } = await newLink('same-moment@example.com');
    const visitors = Array.from({ length: 4 }, () => createVisitor(url));
    await Promise.all(visitors.map((one) => one.send('/sign-in', { token })));
    for (const one of visitors) expect(await one.get('/account')).toMatchObject({ status: 200 });
    expect((await admin.get(`/v1/people/${person.id}/sessions`)).body.sessions).toHaveLength(4);
  });

  test.each([
    ['of another site', { 'sec-fetch-site': 'cross-site' }],
    ['of a site beside ours', { 'sec-fetch-site': 'same-site' }],
    ['from nowhere', { 'sec-fetch-site': 'none' }],
    ['of an old browser on another site', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
  ])('does nothing by a form %s', async (_, headers) => {
    const visitor = await signedIn(shared());
    await visitor.get('/account');
    expect(await visitor.send('/sign-out', {}, headers)).toMatchObject({ status: 403 });
    expect(await visitor.get('/account')).toMatchObject({ status: 200 });
  });

  test('does nothing by a form that does not carry its own token', async () => {
    const [visitor, other] = [await signedIn(shared()), await signedIn(shared())];
    const theirs = /name="form_token" value="([^"]+)"/.exec((await other.get('/account')).text)?.[1] ?? '';
    await visitor.get('/account');
    for (const form_token of ['', 'x', theirs]) {
      expect(await visitor.send('/sign-out', { form_token })).toMatchObject({ status: 403 });
    }
    expect(await visitor.get('/account')).toMatchObject({ status: 200 });
  });

  test('cannot be put into the store by whoever can write there', async () => {
    const { raw, admin } = shared();
    const { id } = (await admin.get('/v1/people/me')).body;
    const secret = 'A'.repeat(43);
    const hash = createHash('sha256').update(secret).digest('hex');
    const value = JSON.stringify({
      person: id,
      hash,
      created_at: new Date().toISOString(),
      times_disabled: 0,
      expires_at: new Date(Date.now() + 60_000).toISOString(),
      browser: '',
    });
    for (const body of [value, JSON.stringify({ value, seal: 'k1 AAAA' })]) {
      await raw.js.publish(`$KV.placet-sessions.session.${id}.49`, body);
      const thief = createVisitor(shared().url);
      thief.jar.set('__Host-placet', `${id}.49.${secret}`);
      expect(await thief.get('/account')).toMatchObject({ status: 303 });
    }
  });
});

describe('a session that came from a token', () => {
  test('ends with it, whichever way it came', async () => {
    const { admin, url } = shared();
    const { person } = await newLink('tokens@example.com');
    const made = (await admin.post(`/v1/people/${person.id}/tokens`)).body;
    const byToken = createVisitor(url);
    await byToken.send('/sign-in', { token: made.token });
    const own = createClient(url, made.token);
    const link = (await own.post(`/v1/people/${person.id}/sign-in-links`)).body;
    const late = (await own.post(`/v1/people/${person.id}/sign-in-links`)).body;
    const byLink = createVisitor(url);
    await byLink.send(new URL(link.url).pathname, {});
    for (const visitor of [byToken, byLink])
      expect(await visitor.get('/account')).toMatchObject({ status: 200 });
    await admin.call('DELETE', `/v1/people/${person.id}/tokens/${made.id}`);
    for (const visitor of [byToken, byLink]) {
      await eventually(async () => expect(await visitor.get('/account')).toMatchObject({ status: 303 }));
    }
    expect(await createVisitor(url).send(new URL(late.url).pathname, {})).toMatchObject({ status: 410 });
  });

  test('says that it ends no later than the token', async () => {
    const { admin, url } = shared();
    const { person } = await newLink('ending@example.com');
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const made = (await admin.post(`/v1/people/${person.id}/tokens`, { expires_at })).body;
    await createVisitor(url).send('/sign-in', { token: made.token });
    const { sessions } = (await admin.get(`/v1/people/${person.id}/sessions`)).body;
    expect(sessions).toMatchObject([{ expires_at }]);
  });

  test('nobody makes links without end, which would fill the store that all sign in by', async () => {
    const { admin } = shared();
    const { person } = await newLink('many@example.com');
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++)
      statuses.push((await admin.post(`/v1/people/${person.id}/sign-in-links`)).status);
    expect(new Set(statuses)).toEqual(new Set([201, 429]));
  });
});
