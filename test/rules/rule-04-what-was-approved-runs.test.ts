import { createSigner, digestOf, generateSigningKey, type Jwks, verifyProof } from '@placet/proof';
import { describe, expect, test } from 'vitest';
import { held, messagesIn, personWith, sharedPlacet } from '../support.ts';

const shared = sharedPlacet();
const payload = { to: 'ann', amount: 20, note: 'ünïcode ✓' };

async function publishedKeys(): Promise<Jwks> {
  const response = await fetch(`${shared().url}/.well-known/jwks.json`);
  return (await response.json()) as Jwks;
}

describe('rule 4: what was approved is what runs', () => {
  test('the answer and the decision name the digest of the canonical payload', async () => {
    const { agent, admin, raw } = shared();
    const asked = await agent.check({ action_name: 'refund.create', payload });
    expect(asked.body.payload_digest).toBe(digestOf(payload));
    const id = asked.body.action_id;
    expect((await admin.get(`/v1/approvals/${id}`)).body).toMatchObject({
      payload,
      payload_digest: digestOf(payload),
    });

    await admin.vote(id, { vote: 'approve', payload_digest: digestOf(payload) });

    expect((await agent.answer(id)).body.payload_digest).toBe(digestOf(payload));
    const events = (await messagesIn(raw)).filter(({ subject }) => subject.includes(`.act.my-agent.${id}.`));
    expect(events.map(({ event }) => event.data)).toEqual(
      Array(4).fill(expect.objectContaining({ payload_digest: digestOf(payload) })),
    );
  });

  test('a vote on another payload is refused, and the action stays open', async () => {
    const { agent, admin } = shared();
    const id = await held(shared(), { payload });

    const stale = await admin.vote(id, {
      vote: 'approve',
      payload_digest: digestOf({ ...payload, amount: 2 }),
    });

    expect(stale).toMatchObject({ status: 409, body: { error: 'STALE_PAYLOAD' } });
    expect((await agent.answer(id)).body.decision).toBe('pending');
    expect((await admin.vote(id, { vote: 'approve', payload_digest: digestOf(payload) })).status).toBe(200);
  });

  test('the proof of a vote verifies with the published keys, and says all of it', async () => {
    const { agent } = shared();
    const dana = await personWith(shared(), 'dana@example.com', ['approver']);
    const id = await held(shared(), { payload });
    await dana.vote(id, { vote: 'approve' });
    const { proof, valid_until } = (await agent.answer(id)).body;

    const verdict = verifyProof(proof, await publishedKeys(), {
      action_id: id,
      agent: 'my-agent',
      action: 'refund.create',
      payload_digest: digestOf(payload),
      decision: 'allowed',
    });

    expect(verdict).toMatchObject({
      ok: true,
      claims: {
        iss: 'placet/decisions',
        deciders: ['person:dana@example.com'],
        policies: [{ scope: 'default', digest: expect.stringMatching(/^sha256:/) }],
      },
    });
    const exp = verdict.ok ? (verdict.claims.exp ?? 0) : 0;
    expect(exp * 1000 - Date.parse(valid_until)).toBeLessThan(1000);
    expect(verifyProof(proof, await publishedKeys(), { now: new Date(exp * 1000) })).toMatchObject({
      code: 'EXPIRED',
    });
  });

  test.each([
    ['read.mail', 'allowed'],
    ['drop.table', 'denied'],
  ])('the proof of the verdict on %s verifies, and says %s', async (action_name, decision) => {
    const { agent } = shared();
    const { proof, action_id } = (await agent.check({ action_name, payload })).body;

    expect(verifyProof(proof, await publishedKeys(), { action_id, action: action_name })).toMatchObject({
      ok: true,
      claims: { iss: 'placet/policy', decision, deciders: ['policy'], payload_digest: digestOf(payload) },
    });
  });

  test('a proof does not hold for another payload, action, agent or decision, nor with another key', async () => {
    const { agent } = shared();
    const { proof, action_id } = (await agent.check({ action_name: 'read.mail', payload })).body;
    const keys = await publishedKeys();
    const mismatches = [
      { payload_digest: digestOf({ ...payload, amount: 21 }) },
      { action_id: `act_${'1'.repeat(32)}` },
      { action: 'read.secret' },
      { agent: 'other' },
      { decision: 'denied' as const },
    ];
    for (const expected of mismatches) {
      expect(verifyProof(proof, keys, expected)).toMatchObject({ ok: false, code: 'MISMATCH' });
    }

    const other = createSigner(generateSigningKey());
    expect(verifyProof(proof, { keys: [other.publicJwk] })).toMatchObject({ code: 'UNKNOWN_KEY' });
    const [known] = keys.keys;
    const disguised = keys.keys.map((key) => ({ ...other.publicJwk, kid: key.kid ?? '' }));
    expect(known).toBeDefined();
    expect(verifyProof(proof, { keys: disguised })).toMatchObject({ code: 'BAD_SIGNATURE' });

    const [header, claims = '', signature] = proof.split('.');
    const changed = JSON.parse(Buffer.from(claims, 'base64url').toString());
    changed.payload_digest = digestOf({});
    const forged = [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
    expect(verifyProof(forged, keys, { action_id })).toMatchObject({ code: 'BAD_SIGNATURE' });
  });

  test('an expired permission comes without its proof', async () => {
    const { agent } = shared();
    const { action_id } = (await agent.check({ action_name: 'read.mail', payload })).body;
    await agent.post(`/v1/check/${action_id}/execution`, { status: 'success' });

    const { body } = await agent.answer(action_id);

    expect(body).toMatchObject({ decision: 'expired', action_id });
    expect(body.proof).toBeUndefined();
  });
});
