import { RE2JS } from '@bufbuild/re2';

/** What a match costs grows with the text and the pattern, and with nothing else (RE2). */
export const textCharsMax = 10_000;
/** More than all policies of a deployment have, as a rule; then they are compiled anew. */
const compiledMax = 10_000;
const compiled = new Map<string, RE2JS>();

/** A pattern of `matches`. Compiled once: that takes milliseconds. */
export function patternOf(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  const fresh = RE2JS.compile(pattern);
  if (compiled.size >= compiledMax) compiled.clear();
  compiled.set(pattern, fresh);
  return fresh;
}
