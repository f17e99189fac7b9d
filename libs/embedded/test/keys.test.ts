import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseAfterEach, temporaryDirectory } from '@placet/testing';
import { expect, test } from 'vitest';
import { KeysProblem, loadKeys } from '../keys.ts';

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

test('a second seal key is added as a line of its own', () => {
  const dir = temporaryDirectory();
  loadKeys(dir);
  const file = join(dir, 'keys', 'seal.key');
  appendFileSync(file, `k2:${Buffer.alloc(32, 2).toString('base64')}\n`);
  const { sealer } = loadKeys(dir);
  expect(sealer.seal('s', 'b')).toMatch(/^k1\./);
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
});

test.each([
  ['seal.key', 'k1:no-base64', 'Seal key 1 is not "id:secret" in base64. Each key has a line of its own.'],
  ['seal.key', 'k1:AAAA', 'The seal key "k1" has 3 bytes; it needs at least 32.'],
  ['policy.pem', 'hello', ''],
])('%s that cannot be read is named, and its secret is not told', (name, text, problem) => {
  const dir = temporaryDirectory();
  loadKeys(dir);
  const file = join(dir, 'keys', name);
  writeFileSync(file, text);
  expect(() => loadKeys(dir)).toThrow(KeysProblem);
  expect(() => loadKeys(dir)).toThrow(`${file}: ${problem}`);
});
