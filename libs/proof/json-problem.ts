export type JsonProblem = { kind: 'not_json' | 'not_allowed'; path: string; message: string };

const keyCharsMax = 64;

/** Thrown where a text stops being JSON. */
export class NotJson extends Error {
  readonly position: number;
  readonly wanted: string;

  constructor(position: number, wanted: string) {
    super(`Expected ${wanted}.`);
    this.position = position;
    this.wanted = wanted;
  }
}

export function brokenAt(
  text: string,
  path: readonly (string | number)[],
  { position, wanted }: NotJson,
): JsonProblem {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  const where = `line ${line}, column ${column} (position ${position})`;
  return {
    kind: 'not_json',
    path: pathOf(path),
    message: `Not a JSON text: expected ${wanted} at ${where}, found ${foundAt(text, position)}.`,
  };
}

function foundAt(text: string, position: number): string {
  const codePoint = text.codePointAt(position);
  if (codePoint === undefined) return 'the end of the text';
  const word = /^[A-Za-z]{1,16}/.exec(text.slice(position, position + 16))?.[0];
  if (word === 'NaN' || word === 'Infinity') return `${word}, which JSON does not have`;
  if (codePoint === 0xfeff) return 'a byte order mark (U+FEFF)';
  const isVisible = codePoint > 0x20 && codePoint < 0x7f;
  return isVisible ? `"${String.fromCodePoint(codePoint)}"` : `U+${hex(codePoint)}`;
}

function hex(codePoint: number): string {
  return codePoint.toString(16).toUpperCase().padStart(4, '0');
}

/** `payload.items[3]["odd key"]`: what a caller would write to reach the place. */
export function pathOf(path: readonly (string | number)[]): string {
  let result = '';
  for (const step of path) {
    if (typeof step === 'number') result += `[${step}]`;
    else if (/^[A-Za-z_$][\w$]{0,63}$/.test(step)) result += result === '' ? step : `.${step}`;
    else result += `[${JSON.stringify(shorten(step))}]`;
  }
  return result;
}

function shorten(key: string): string {
  return key.length <= keyCharsMax ? key : `${key.slice(0, keyCharsMax)}…`;
}
