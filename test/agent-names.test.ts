import { describe, expect, test } from 'vitest';
import { sharedPlacet } from './support.ts';

const shared = sharedPlacet();

describe('an agent', () => {
  test.each(['', 'Robot', 'a.b', 'a b', '*', '>', 'ü', 'a'.repeat(65), '../x', '__proto__'])(
    'cannot be called "%s"',
    async (name) => {
      const { admin } = shared();

      expect(await admin.post('/v1/agents', { name })).toMatchObject({
        status: 422,
        body: { details: [{ path: 'name' }] },
      });
    },
  );
});
