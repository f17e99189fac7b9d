import { RE2JS } from '@bufbuild/re2';

/** What a match costs grows with the text and the pattern, and with nothing else (RE2). */
export const textCharsMax = 4_000;
/** More than all policies of a deployment have, as a rule; then they are compiled anew. */
const compiledMax = 1_000;
const compiled = new Map<string, RE2JS>();

/** All counted repetitions of a pattern, within each other or not: its program is as long as their product. */
const repeatedMax = 1_000;

function repeats(pattern: string): number {
  const counts = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)];
  return counts.reduce((product, [, from, to]) => product * Math.max(1, Number(to || from)), 1);
}

/** A pattern of `matches`. Compiled once: that takes milliseconds. */
export function patternOf(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  if (repeats(pattern) > repeatedMax)
    throw new Error(`its counted repetitions make more than ${repeatedMax}`);
  const fresh = RE2JS.compile(pattern);
  if (compiled.size >= compiledMax) compiled.clear();
  compiled.set(pattern, fresh);
  return fresh;
}
