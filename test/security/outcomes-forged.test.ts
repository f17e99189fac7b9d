import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { eventually, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { alarmKinds, held, policy, rawBroker } from '../support.ts';

releaseAfterEach();

/** Writes into the store of outcomes as whoever has its password can. */
function write({ dataDir }: TestPlacet, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(dataDir, 'decisions.sqlite'), { timeout: 5000 });
  work(database);
  database.close();
}

async function stored(started: TestPlacet, id: string, type: string): Promise<string> {
  return eventually(() => {
    let body: string | undefined;
    write(started, (database) => {
      const query = 'SELECT body FROM events JOIN actions ON actions.id = action WHERE action_id = ?';
      const rows = database.prepare(query).all(id) as { body: string }[];
      body = rows.map((row) => row.body).find((text) => JSON.parse(text).type === type);
    });
    if (body === undefined) throw new Error(`no ${type} of ${id} is stored`);
    return body;
  });
}

function insert(started: TestPlacet, id: string, agent: string, body: string): void {
  write(started, (database) => {
    database
      .prepare('INSERT INTO actions (id, action_id, agent, decided_seq) VALUES (900, ?, ?, 5)')
      .run(id, agent);
    database.prepare('INSERT INTO events (action, seq, body) VALUES (900, 5, ?)').run(body);
  });
}

/** Lists the row of an action wherever another action is listed. */
function listLike(database: DatabaseSync, id: string, row: number): void {
  const listed = database
    .prepare(
      `INSERT INTO audience (key, open, requested_seq, action, agent, requested_at)
        SELECT u.key, u.open, u.requested_seq, ?, u.agent, u.requested_at
          FROM audience u JOIN actions a ON a.id = u.action WHERE a.action_id = ?`,
    )
    .run(row, id);
  expect(listed.changes).toBeGreaterThan(0);
}

const invented = `act_${'f'.repeat(32)}`;

test('a decision that somebody wrote into the store is told to nobody', async () => {
  const started = await startTestPlacet({ policy });
  const { agent, placet } = started;
  const { body: asked } = await agent.check({ action_name: 'read.mail', payload: {} });
  const decision = await stored(started, asked.action_id, 'action.decided');
  insert(started, invented, 'my-agent', decision.replaceAll(asked.action_id, invented));

  expect(await agent.answer(invented)).toMatchObject({ status: 404, body: { error: 'ACTION_NOT_FOUND' } });
  const report = await agent.post(`/v1/check/${invented}/execution`, { status: 'success' });
  expect(report).toMatchObject({ status: 404, body: { error: 'ACTION_NOT_FOUND' } });
  const raw = await rawBroker(placet);
  await eventually(async () => expect(await alarmKinds(raw)).toContain('proof_rejected'));
});

test('a true decision that the stream no longer holds permits nothing', async () => {
  const started = await startTestPlacet({ policy });
  const { agent, placet } = started;
  const { body: asked } = await agent.check({ action_name: 'read.mail', payload: {} });
  await stored(started, asked.action_id, 'action.decided');
  const raw = await rawBroker(placet);
  await placet.stop('decisions');
  await placet.stop('audit');
  const { config } = await raw.jsm.streams.info('PLACET');
  await raw.jsm.streams.delete('PLACET');
  await raw.jsm.streams.add(config);

  await placet.start('decisions');
  await eventually(async () => {
    expect((await agent.answer(asked.action_id)).body).toMatchObject({
      decision: 'expired',
      payload_digest: asked.payload_digest,
    });
  });
});

test('people see what the stream holds, whatever the store says', async () => {
  const started = await startTestPlacet({ policy });
  const { admin } = started;
  const id = await held(started, { payload: { amount: 1_000_000, to: 'mallory' } });
  const needed = await stored(started, id, 'approval.needed');
  write(started, (database) => {
    database
      .prepare('UPDATE events SET body = ? WHERE body = ?')
      .run(needed.replace('1000000', '1').replace('mallory', 'alice'), needed);
  });
  const [shown] = (await admin.get('/v1/approvals')).body.approvals;
  expect(shown).toMatchObject({ id, payload: { amount: 1_000_000, to: 'mallory' } });
  expect((await admin.get(`/v1/approvals/${id}`)).body).toEqual({ ...shown, earlier: [] });
});

test('of an old approval with hidden parts no payload is told, whatever the store says of it', async () => {
  const started = await startTestPlacet({ policy });
  const { admin, placet } = started;
  const hiding =
    'version: 1\nrules:\n  - { action: pay, decide: require_approval, redact: [payload.card] }\n';
  expect((await admin.put('/v1/policies/default', hiding)).status).toBe(200);
  const id = await held(started, { action_name: 'pay', payload: { card: 4111, to: 'mallory' } });
  await admin.vote(id, { vote: 'approve' });
  const needed = await stored(started, id, 'approval.needed');
  await stored(started, id, 'action.decided');
  write(started, (database) => {
    database
      .prepare('UPDATE events SET body = ? WHERE body = ?')
      .run(needed.replace('mallory', 'alice'), needed);
  });
  expect((await admin.get(`/v1/approvals/${id}`)).body.payload).toEqual({
    card: '[redacted]',
    to: 'mallory',
  });

  const raw = await rawBroker(placet);
  for (const service of ['decisions', 'audit'] as const) await placet.stop(service);
  const { config } = await raw.jsm.streams.info('PLACET');
  await raw.jsm.streams.delete('PLACET');
  await raw.jsm.streams.add(config);
  await placet.start('decisions');
  await eventually(async () => {
    const { body } = await admin.get(`/v1/approvals/${id}`);
    expect(body).toMatchObject({ decision: 'allowed', payload: '[redacted]', redacted: ['payload'] });
  });
});

test('an approval that only the store knows of is not shown', async () => {
  const started = await startTestPlacet({ policy });
  const { admin } = started;
  const id = await held(started);
  const needed = await stored(started, id, 'approval.needed');
  write(started, (database) => {
    const copy = database.prepare(
      'INSERT INTO actions (id, action_id, agent, requested_seq, requested_at, needed_seq, asked_seq, due, audience) SELECT 901, ?, agent, requested_seq, requested_at, needed_seq + 1, asked_seq, due, audience FROM actions WHERE action_id = ?',
    );
    copy.run(invented, id);
    listLike(database, id, 901);
    database
      .prepare('INSERT INTO events (action, seq, body) VALUES (901, 9, ?)')
      .run(needed.replaceAll(id, invented));
  });
  const { approvals } = (await admin.get('/v1/approvals')).body;
  expect(approvals.map((approval: { id: string }) => approval.id)).toEqual([id]);
});

test('a decided approval that somebody wrote into the store is shown to nobody', async () => {
  const started = await startTestPlacet({ policy });
  const { admin, placet } = started;
  const id = await held(started);
  await admin.vote(id, { vote: 'approve' });
  const [needed, decided] = [
    await stored(started, id, 'approval.needed'),
    await stored(started, id, 'action.decided'),
  ];
  write(started, (database) => {
    database
      .prepare(
        'INSERT INTO actions (id, action_id, agent, requested_seq, needed_seq, decided_seq) VALUES (902, ?, ?, 1, 900, 901)',
      )
      .run(invented, 'my-agent');
    listLike(database, id, 902);
    const insertion = database.prepare('INSERT INTO events (action, seq, body) VALUES (902, ?, ?)');
    insertion.run(900, needed.replaceAll(id, invented));
    insertion.run(901, decided.replaceAll(id, invented));
  });
  const { approvals } = (await admin.get('/v1/approvals?status=all')).body;
  expect(approvals.map((approval: { id: string }) => approval.id)).toEqual([id]);
  expect((await admin.get(`/v1/approvals/${invented}`)).status).toBe(404);
  const raw = await rawBroker(placet);
  await eventually(async () => expect(await alarmKinds(raw)).toContain('proof_rejected'));
});
