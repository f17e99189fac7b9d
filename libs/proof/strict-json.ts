import { isUtf8 } from 'node:buffer';
import type { JsonProblem } from './json-problem.ts';
import { scanJson } from './json-scan.ts';

export type JsonResult = { ok: true; value: unknown } | { ok: false; problem: JsonProblem };

/**
 * JSON, less what two readers could understand differently: a digest stands for one meaning only.
 * `not_json` is no JSON text at all; `not_allowed` is JSON that cannot be carried exactly or safely.
 */
export function parseJson(input: string | Uint8Array): JsonResult {
  if (typeof input === 'string') return parseText(input);
  if (!isUtf8(input)) return refused({ kind: 'not_json', path: '', message: 'The bytes are not UTF-8.' });
  return parseText(Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('utf8'));
}

function parseText(text: string): JsonResult {
  const problem = scanJson(text);
  if (problem !== null) return refused(problem);
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    // A property test says that the scan accepts nothing that JSON.parse refuses. Should it, refuse.
    return refused({ kind: 'not_json', path: '', message: 'This is not a JSON text.' });
  }
}

function refused(problem: JsonProblem): JsonResult {
  return { ok: false, problem };
}
