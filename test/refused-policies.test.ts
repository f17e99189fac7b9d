import { describe, expect, test } from 'vitest';
import { policy, sharedPlacet } from './support.ts';

const shared = sharedPlacet({ policy });
const reading = { action_name: 'read.mail', payload: {} };
const denying = 'version: 1\ndefault: deny\n';

describe('a policy that is put', () => {
  test.each([
    ['that is no YAML', 'version: 1\nrules: [', 2],
    ['of another version', 'version: 2\n', 1],
    ['with an unknown field', 'version: 1\nrules:\n  - action: x\n    decide: allow\n    aprovers: []\n', 5],
    ['with a decision that is none', 'version: 1\ndefault: maybe\n', 2],
    ['with a key that stands twice', 'version: 1\ndefault: deny\ndefault: allow\n', 3],
    ['that is empty', '', 1],
  ])('%s is refused with its line and column, and the running one stays', async (_name, text, line) => {
    const { agent, admin } = shared();
    const before = await admin.get('/v1/policies/default', { accept: 'application/json' });

    const refused = await admin.put('/v1/policies/default', text);

    expect(refused).toMatchObject({ status: 422, body: { error: 'POLICY_REFUSED' } });
    expect(refused.body.details[0]).toMatchObject({ line, column: expect.any(Number) });
    expect(refused.body.message).toContain(`line ${line}, column `);
    expect((await admin.get('/v1/policies/default', { accept: 'application/json' })).body).toEqual(
      before.body,
    );
    expect((await agent.check(reading)).body.decision).toBe('allowed');
  });

  test.each(['nonsense', 'agent:', 'agent:A', 'named:a.b', 'default.x'])(
    'for %s is refused',
    async (scope) => {
      const { admin } = shared();

      const refused = await admin.put(`/v1/policies/${encodeURIComponent(scope)}`, denying);

      expect(refused).toMatchObject({ status: 422, body: { details: [{ path: 'scope' }] } });
    },
  );
});
