import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { problemsOf } from './test-reading.ts';

const folder = join(import.meta.dirname, '../../examples/policies');

test.each(readdirSync(folder))('examples/policies/%s is a policy, and keeps its tests', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');
  expect(problemsOf(text)).toBe('accepted');
  // Somebody else's policy stays as it is.
  if (file !== 'tollgate.yaml') expect(text).toContain('\ntests:\n');
});
