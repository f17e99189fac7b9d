import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '../docs/performance.md');

/** Puts tables into the document, between the two marks that are there for them. */
export function writeDocument(
  part: 'run' | 'heap' | 'profile' | 'policy' | 'backtest' | 'change' | 'approvals' | 'rebuild' | 'channels',
  text: string,
): void {
  const [begin, end] = [`<!-- bench:${part} -->`, `<!-- /bench:${part} -->`];
  const known = readFileSync(file, 'utf8');
  const [before, rest] = known.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${file} has no place ${begin} … ${end}`);
  writeFileSync(file, `${before}${begin}\n${text}\n${end}${after}`);
}
