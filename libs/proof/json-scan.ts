import { isCarriedExactly } from './json-number.ts';
import { brokenAt, type JsonProblem, NotJson, pathOf } from './json-problem.ts';
import {
  endOfNumber,
  endOfString,
  isShortDecimal,
  isWellFormedString,
  skipSpace,
  unquote,
} from './json-token.ts';

const depthMax = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;

type Scan = {
  readonly text: string;
  readonly path: (string | number)[];
  at: number;
  notAllowed: JsonProblem | null;
};

/**
 * One pass over a text: JSON's grammar (RFC 8259) and our rules on top of it. A text that breaks a rule
 * is read to its end all the same, since `not_allowed` is said only of texts that are JSON.
 */
export function scanJson(text: string): JsonProblem | null {
  const scan: Scan = { text, path: [], at: 0, notAllowed: null };
  try {
    scan.at = skipSpace(text, 0);
    scanValue(scan, 0);
    scan.at = skipSpace(text, scan.at);
    if (scan.at < text.length) throw new NotJson(scan.at, 'the end of the text');
    return scan.notAllowed;
  } catch (error) {
    if (error instanceof TooDeep) return tooDeep(scan);
    if (error instanceof NotJson) return brokenAt(text, scan.path, error);
    throw error;
  }
}

function scanValue(scan: Scan, depth: number): void {
  const code = scan.text.charCodeAt(scan.at);
  if (code === QUOTE) scanString(scan);
  else if (code === OPEN_OBJECT) scanObject(scan, depth + 1);
  else if (code === OPEN_ARRAY) scanArray(scan, depth + 1);
  else if (code === LOWER_T) scanWord(scan, 'true');
  else if (code === LOWER_F) scanWord(scan, 'false');
  else if (code === LOWER_N) scanWord(scan, 'null');
  else scanNumber(scan);
}

function scanObject(scan: Scan, depth: number): void {
  const { text, path } = scan;
  if (depth > depthMax) throw new TooDeep();
  scan.at = skipSpace(text, scan.at + 1);
  if (text.charCodeAt(scan.at) === CLOSE_OBJECT) {
    scan.at++;
    return;
  }
  const keys = new Set<string>();
  for (;;) {
    if (text.charCodeAt(scan.at) !== QUOTE) throw new NotJson(scan.at, 'a key in double quotes');
    path.push(scanKey(scan, keys));
    if (text.charCodeAt(scan.at) !== COLON) throw new NotJson(scan.at, '":" after the key');
    scan.at = skipSpace(text, scan.at + 1);
    scanValue(scan, depth);
    path.pop();
    scan.at = skipSpace(text, scan.at);
    const code = text.charCodeAt(scan.at);
    if (code !== COMMA && code !== CLOSE_OBJECT) throw new NotJson(scan.at, '"," or "}"');
    scan.at++;
    if (code === CLOSE_OBJECT) return;
    scan.at = skipSpace(text, scan.at);
  }
}

function scanKey(scan: Scan, keys: Set<string>): string {
  const end = endOfString(scan.text, scan.at);
  const key = unquote(scan.text, scan.at, end);
  scan.at = skipSpace(scan.text, end);
  if (keys.has(key)) refuse(scan, 'This key stands twice in one object.', key);
  else if (key === '__proto__') refuse(scan, 'The key "__proto__" is not allowed.', key);
  else if (!key.isWellFormed()) refuse(scan, 'This key holds half of a surrogate pair.', key);
  keys.add(key);
  return key;
}

function scanArray(scan: Scan, depth: number): void {
  const { text, path } = scan;
  if (depth > depthMax) throw new TooDeep();
  scan.at = skipSpace(text, scan.at + 1);
  if (text.charCodeAt(scan.at) === CLOSE_ARRAY) {
    scan.at++;
    return;
  }
  for (let index = 0; ; index++) {
    path.push(index);
    scanValue(scan, depth);
    path.pop();
    scan.at = skipSpace(text, scan.at);
    const code = text.charCodeAt(scan.at);
    if (code !== COMMA && code !== CLOSE_ARRAY) throw new NotJson(scan.at, '"," or "]"');
    scan.at++;
    if (code === CLOSE_ARRAY) return;
    scan.at = skipSpace(text, scan.at);
  }
}

function scanString(scan: Scan): void {
  const end = endOfString(scan.text, scan.at);
  if (!isWellFormedString(scan.text, scan.at, end)) refuse(scan, 'This text holds half of a surrogate pair.');
  scan.at = end;
}

function scanNumber(scan: Scan): void {
  const start = scan.at;
  scan.at = endOfNumber(scan.text, start);
  if (isShortDecimal(scan.text, start, scan.at) || isCarriedExactly(scan.text.slice(start, scan.at))) return;
  refuse(scan, 'This number loses digits in a double (about 15 are safe). Send it as a string.');
}

function scanWord(scan: Scan, word: string): void {
  if (!scan.text.startsWith(word, scan.at)) throw new NotJson(scan.at, 'a value');
  scan.at += word.length;
}

function refuse(scan: Scan, message: string, key?: string): void {
  const path = key === undefined ? scan.path : [...scan.path, key];
  scan.notAllowed ??= { kind: 'not_allowed', path: pathOf(path), message };
}

class TooDeep extends Error {}

/** Past the deepest level only JSON.parse, which does not recurse, can say whether the text is JSON. */
function tooDeep(scan: Scan): JsonProblem {
  const path = pathOf(scan.path);
  try {
    JSON.parse(scan.text);
  } catch {
    return { kind: 'not_json', path, message: `Not a JSON text, somewhere past ${depthMax} levels.` };
  }
  return scan.notAllowed ?? { kind: 'not_allowed', path, message: `Nested more than ${depthMax} deep.` };
}
