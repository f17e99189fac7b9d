import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { releaseAfterEach, temporaryDirectory } from '@placet/testing';
import { expect, test } from 'vitest';
import { loadKeys } from '../keys.ts';

releaseAfterEach();

test('proofs by a signing key are believed after its service has taken another', () => {
  const dir = temporaryDirectory();
  const first = loadKeys(dir);
  expect(first.trusted.keys).toEqual([first.policySigner.publicJwk, first.decisionsSigner.publicJwk]);
  rmSync(join(dir, 'keys', 'policy.pem'));
  const second = loadKeys(dir);
  expect(second.policySigner.kid).not.toBe(first.policySigner.kid);
  expect(second.trusted.keys).toEqual([...first.trusted.keys, second.policySigner.publicJwk]);
  expect(loadKeys(dir).trusted).toEqual(second.trusted);
});
