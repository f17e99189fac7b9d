/** Line breaks stay: they are seen. What has no width, turns the writing around or controls something is spelled out. */
const unseen = /[^\P{C}\n]|[\p{DI}\u2028\u2029\u2800]/gu;

/** A text in which everything is seen: nothing hides in it, and nothing changes how the rest is read. */
export function visible(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replaceAll('\t', ' ')
    .replace(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Its beginning, and how much there is of it. */
export function shortened(text: string, charsMax: number): string {
  const seen = visible(text);
  if (seen.length <= charsMax) return seen;
  const rest = ` … (${text.length} characters)`;
  return `${withoutHalf(seen.slice(0, Math.max(0, charsMax - rest.length)))}${rest}`;
}

/** A character may take two places; half of one is none. */
function withoutHalf(text: string): string {
  return text.replace(/[\ud800-\udbff]$/, '');
}
