import { createClient, eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { agentNamed, policy } from './support.ts';

releaseAfterEach();

const reading = { action_name: 'read.mail', payload: {} };

describe('an agent', () => {
  test('is made with a first key, which is shown once, and belongs to who made it or to who is named', async () => {
    const { admin, url } = await startTestPlacet({ policy });

    const made = await admin.post('/v1/agents', { name: 'robot' });
    const owned = await admin.post('/v1/agents', { name: 'robot-2', owner: 'dana@example.com' });

    expect(made).toMatchObject({
      status: 201,
      body: {
        agent: { name: 'robot', owner: 'admin@example.com', disabled: false },
        key: expect.any(String),
      },
    });
    expect(owned.body.agent.owner).toBe('dana@example.com');
    expect((await createClient(url, made.body.key).check(reading)).body.decision).toBe('allowed');
    const shown = await admin.get('/v1/agents/robot');
    expect(shown.body).toEqual(made.body.agent);
    expect(Object.keys(shown.body.keys[0]).sort()).toEqual(['created_at', 'id']);
    const listed = (await admin.get('/v1/agents')).body.agents;
    expect(listed.map(({ name }: { name: string }) => name).sort()).toEqual(['my-agent', 'robot', 'robot-2']);
  });

  test('that was disabled stays so, and its name is never used again', async () => {
    const started = await startTestPlacet({ policy });
    const { admin } = started;
    const robot = await agentNamed(started, 'robot');

    expect((await admin.delete('/v1/agents/robot')).body).toMatchObject({ name: 'robot', disabled: true });

    expect(await robot.check(reading)).toMatchObject({ status: 401, body: { error: 'INVALID_API_KEY' } });
    expect(await admin.post('/v1/agents', { name: 'robot' })).toMatchObject({
      status: 409,
      body: { error: 'ALREADY_EXISTS' },
    });
    expect((await admin.get('/v1/agents/robot')).body.disabled).toBe(true);
    expect((await admin.get('/v1/agents/nobody')).status).toBe(404);
    expect((await admin.delete('/v1/agents/nobody')).status).toBe(404);
  });

  test('made by two at once is made once', async () => {
    const { admin } = await startTestPlacet();

    const made = await Promise.all(
      Array.from({ length: 8 }, () => admin.post('/v1/agents', { name: 'robot' })),
    );

    expect(made.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  });
});

describe('the keys of an agent', () => {
  async function startWithRobot() {
    const started = await startTestPlacet({ policy });
    const robot = await agentNamed(started, 'robot');
    const works = async (key: string) => (await createClient(started.url, key).check(reading)).status === 200;
    return { ...started, robot, works };
  }

  test('are several, and each works until it is revoked', async () => {
    const { admin, robot, works } = await startWithRobot();

    const second = (await admin.post('/v1/agents/robot/keys')).body;
    expect([await works(robot.key), await works(second.key)]).toEqual([true, true]);

    expect((await admin.delete(`/v1/agents/robot/keys/${robot.keyId}`)).status).toBe(200);
    expect([await works(robot.key), await works(second.key)]).toEqual([false, true]);
    expect((await admin.delete('/v1/agents/robot/keys/unknown')).status).toBe(404);
    expect((await admin.delete(`/v1/agents/my-agent/keys/${second.id}`)).status).toBe(404);
    const { keys } = (await admin.get('/v1/agents/robot')).body;
    expect(keys.map((key: { revoked_at?: string }) => key.revoked_at !== undefined)).toEqual([true, false]);
  });

  test('are exchanged: without grace the old one ends at once', async () => {
    const { admin, robot, works } = await startWithRobot();

    const fresh = (await admin.post(`/v1/agents/robot/keys/${robot.keyId}/rotation`)).body;

    expect(fresh.key).not.toBe(robot.key);
    expect([await works(robot.key), await works(fresh.key)]).toEqual([false, true]);
  });

  test('are exchanged: with grace the old one works until its end', async () => {
    const { admin, robot, works } = await startWithRobot();

    const rotation = `/v1/agents/robot/keys/${robot.keyId}/rotation`;
    const fresh = (await admin.post(rotation, { grace: '4s' })).body;

    expect([await works(robot.key), await works(fresh.key)]).toEqual([true, true]);
    await eventually(async () => expect(await works(robot.key)).toBe(false));
    expect(await works(fresh.key)).toBe(true);
  });

  test('that have ended are not brought back by an exchange with grace', async () => {
    const { admin, works } = await startWithRobot();
    const soon = new Date(Date.now() + 2000).toISOString();
    const short = (await admin.post('/v1/agents/robot/keys', { expires_at: soon })).body;
    const gone = (await admin.post('/v1/agents/robot/keys')).body;
    await admin.delete(`/v1/agents/robot/keys/${gone.id}`);
    await eventually(async () => expect(await works(short.key)).toBe(false));

    await admin.post(`/v1/agents/robot/keys/${short.id}/rotation`, { grace: '1h' });
    await admin.post(`/v1/agents/robot/keys/${gone.id}/rotation`, { grace: '1h' });

    expect([await works(short.key), await works(gone.key)]).toEqual([false, false]);
  });

  test.each(['999999999d', '-1s', 'soon', ''])('are not exchanged with the grace "%s"', async (grace) => {
    const { admin, robot, works } = await startWithRobot();

    const refused = await admin.post(`/v1/agents/robot/keys/${robot.keyId}/rotation`, { grace });

    expect(refused).toMatchObject({ status: 422, body: { details: [{ path: 'grace' }] } });
    expect(await works(robot.key)).toBe(true);
  });

  test('that work are never pushed out by those that have ended', async () => {
    const { admin, robot, works } = await startWithRobot();
    let last = (await admin.post('/v1/agents/robot/keys')).body;

    for (let i = 0; i < 45; i++) {
      last = (await admin.post(`/v1/agents/robot/keys/${last.id}/rotation`)).body;
    }

    expect([await works(robot.key), await works(last.key)]).toEqual([true, true]);
    expect((await admin.get('/v1/agents/robot')).body.keys.length).toBeLessThanOrEqual(40);
  });

  test('are at most twenty that work', async () => {
    const { admin } = await startWithRobot();
    const made = [];
    for (let i = 0; i < 20; i++) made.push(await admin.post('/v1/agents/robot/keys'));

    expect(made.map(({ status }) => status)).toEqual([...Array(19).fill(201), 422]);
    expect(made.at(-1)?.body.message).toContain('Revoke one first');
    const rotation = `/v1/agents/robot/keys/${made[0]?.body.id}/rotation`;
    expect((await admin.post(rotation, { grace: '1h' })).status).toBe(422);
    expect((await admin.post(rotation)).status).toBe(201);
    await admin.delete(`/v1/agents/robot/keys/${made[1]?.body.id}`);
    expect((await admin.post('/v1/agents/robot/keys')).status).toBe(201);
  });

  test('cannot be made to end in the past', async () => {
    const { admin } = await startWithRobot();
    for (const expires_at of ['2020-01-01T00:00:00Z', 'tomorrow', 7]) {
      const refused = await admin.post('/v1/agents/robot/keys', { expires_at });
      expect(refused.status).toBe(422);
      expect(refused.body.details[0].path).toBe('expires_at');
    }
  });
});
