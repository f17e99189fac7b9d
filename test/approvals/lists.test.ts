import { eventually } from '@placet/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { agentNamed, sharedPlacet } from '../support.ts';
import { asked, askingPolicy, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy });
let cast: Cast;
let ofFinance: string[] = [];
let ofManagers: string[] = [];
let ofBot: string[] = [];
const ids = (reply: { body: { approvals: { id: string }[] } }) => reply.body.approvals.map(({ id }) => id);

beforeAll(async () => {
  cast = await castOf(shared());
  const bot = await agentNamed(shared(), 'bot');
  ofFinance = [await asked(shared(), 'pay.two'), await asked(shared(), 'pay.two')];
  ofManagers = [await asked(shared(), 'pay.large'), await asked(shared(), 'pay.both')];
  const { body } = await bot.check({ action_name: 'pay.two', payload: {} });
  ofBot = [body.action_id];
  await eventually(async () => expect(ids(await shared().admin.get('/v1/approvals'))).toHaveLength(5));
});

describe('a list', () => {
  test('shows what waits for me, newest first', async () => {
    expect(ids(await cast.fay.get('/v1/approvals?for=me'))).toEqual([...ofBot, ...ofFinance.toReversed()]);
    expect(ids(await cast.sam.get('/v1/approvals'))).toEqual([ofManagers[1]]);
    expect(ids(await cast.out.get('/v1/approvals'))).toEqual([]);
    expect(ids(await shared().admin.get('/v1/approvals?for=me'))).toEqual([]);
  });

  test('is filtered by role, agent and age', async () => {
    const { admin } = shared();
    expect(ids(await admin.get('/v1/approvals?for=role:manager'))).toEqual(ofManagers.toReversed());
    expect(ids(await admin.get('/v1/approvals?agent=bot'))).toEqual(ofBot);
    expect(ids(await cast.fay.get('/v1/approvals?for=me&agent=bot'))).toEqual(ofBot);
    expect(ids(await admin.get('/v1/approvals?older_than=1h'))).toEqual([]);
    expect(ids(await admin.get('/v1/approvals?older_than=0s'))).toHaveLength(5);
    expect(await cast.fay.get('/v1/approvals?for=role:manager')).toMatchObject({ status: 403 });
    for (const bad of ['for=you', 'agent=No', 'older_than=soon', 'older_than=91d', 'cursor=x', 'limit=0'])
      expect(await admin.get(`/v1/approvals?${bad}`)).toMatchObject({ status: 422 });
    expect(await admin.get('/v1/approvals/counts?older_than=999999999d')).toMatchObject({ status: 422 });
  });

  test('goes on where a page ended, though what was on it has moved since', async () => {
    const { admin } = shared();
    const first = await admin.get('/v1/approvals?limit=2');
    const moved = await asked(shared(), 'pay.two');
    await cast.sam.vote(ofManagers[1] ?? '', { vote: 'reject' });
    const second = await admin.get(`/v1/approvals?limit=2&cursor=${first.body.next}`);
    const third = await admin.get(`/v1/approvals?limit=2&cursor=${second.body.next}`);
    expect([...ids(first), ...ids(second), ...ids(third)]).toEqual([
      ...ofBot,
      ...ofManagers.toReversed(),
      ...ofFinance.toReversed(),
    ]);
    expect(third.body.next).toBeNull();
    await cast.fay.vote(moved, { vote: 'reject' });
  });

  test('is counted', async () => {
    const { admin } = shared();
    await eventually(async () =>
      expect((await cast.fay.get('/v1/approvals/counts')).body).toMatchObject({
        me: { count: 3 },
        all: { count: 3 },
        roles: { finance: { count: 3, oldest: expect.any(String) } },
      }),
    );
    expect((await admin.get('/v1/approvals/counts')).body).toMatchObject({
      me: { count: 0, oldest: null },
      all: { count: 4 },
    });
    expect((await admin.get('/v1/approvals/counts?agent=bot')).body.all.count).toBe(1);
  });
});
