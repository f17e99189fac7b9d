/** No condition needs more, and each of these bounds what a hostile one can cost. */
export const conditionCharsMax = 2_000;
export const nestingMax = 20;
export const nodesMax = 300;
/** How many elements of a list or a map a condition walks. */
export const walkedMax = 1_000;
export const patternCharsMax = 200;

/**
 * Where brackets or signs are nested deeper than a condition may be, before the parser sees the text: what it needs for
 * such a text grows faster than the text. Null where they are not.
 */
export function tooDeepAt(text: string): number | null {
  let depth = 0;
  let signs = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (char === '"' || char === "'") {
      at = endOfText(text, at, char);
      signs = 0;
      continue;
    }
    if ('([{?'.includes(char)) depth++;
    else if (')]}:'.includes(char)) depth = Math.max(0, depth - 1);
    signs = '!-'.includes(char) ? signs + 1 : /\s/.test(char) ? signs : 0;
    if (depth > nestingMax || signs > nestingMax) return at;
  }
  return null;
}

function endOfText(text: string, start: number, mark: string): number {
  const isRaw = /[rR]$/.test(text.slice(Math.max(0, start - 1), start));
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\' && !isRaw) at++;
    else if (text[at] === mark) return at;
  }
  return text.length;
}
