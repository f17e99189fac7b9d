import { RE2JS } from '@bufbuild/re2';

/** What a match costs grows with the text and the pattern, and with nothing else (RE2). */
export const textCharsMax = 4_000;
/** More than all policies of a deployment have, as a rule; then they are compiled anew. */
const compiledMax = 1_000;
const compiled = new Map<string, RE2JS>();

/** How long a pattern may be with its repetitions written out: a match takes so many steps for each character. */
const lengthMax = 500;

/** One part of a pattern: a class, an escape or a character; groups, and what repeats them, stand apart. */
const part = /\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|.)|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]])*\]|\{(\d+)(?:,(\d*))?\}|./gsu;

/** As long as it is when `(ab){3}` is written `ababab`. */
function writtenOut(pattern: string): number {
  const groups: { length: number; last: number }[] = [{ length: 0, last: 0 }];
  for (const [text, from, to] of pattern.matchAll(part)) {
    const group = groups.at(-1) ?? { length: 0, last: 0 };
    const count = from === undefined ? 0 : Math.max(1, Number(to || from));
    if (text === '(') groups.push({ length: 0, last: 0 });
    else if (text === ')' && groups.length > 1) {
      groups.pop();
      const outer = groups.at(-1) ?? group;
      [outer.length, outer.last] = [outer.length + group.length, group.length];
    } else if (count > 0) {
      group.length += group.last * (count - 1);
      group.last *= count;
    } else [group.length, group.last] = [group.length + 1, 1];
  }
  return groups.reduce((sum, { length }) => sum + length, 0);
}

/** A pattern of `matches`. Compiled once: that takes milliseconds. */
export function patternOf(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  if (writtenOut(pattern) > lengthMax)
    throw new Error(`with its repetitions written out it has more than ${lengthMax} parts`);
  const fresh = RE2JS.compile(pattern);
  if (compiled.size >= compiledMax) compiled.clear();
  compiled.set(pattern, fresh);
  return fresh;
}
