import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { sharedPlacet } from '../support.ts';

const shared = sharedPlacet();
const text = readFileSync(join(import.meta.dirname, '../../docs/approvals.md'), 'utf8');

type Block = { language: string; body: string };

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', body = '']) => {
    return { language, body };
  });
}

/** Between the outputs of two blocks. */
const mark = '=== the next block ===';

test('what docs/approvals.md prints can be typed as it stands, and answers what it says', async () => {
  const { url, agentKey, personToken } = shared();
  const [, ...blocks] = blocksOf(text);
  const script = blocks
    .filter(({ language }) => language === 'sh')
    .map(({ body }) => `${body}\necho '${mark}'`)
    .join('\n');
  const env = { ...process.env, URL: url, KEY: agentKey, TOKEN: personToken };
  const { stdout } = await promisify(execFile)('bash', ['-u', '-c', script], { env, maxBuffer: 2 ** 24 });
  const outputs = stdout.split(mark);
  let commands = 0;
  let told = 0;
  for (const { language, body } of blocks) {
    if (language === 'sh') commands++;
    const lines = (outputs[commands - 1] ?? '').trim().split('\n');
    if (language === 'json') {
      told++;
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject(JSON.parse(body));
    }
    if (language === 'text') expect(lines).toContain(body.trim());
  }
  expect(outputs).toHaveLength(commands + 1);
  expect(told).toBeGreaterThan(12);
});
