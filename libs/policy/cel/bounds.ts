/** No condition needs more, and each of these bounds what a hostile one can cost. */
export const conditionCharsMax = 2_000;
export const nestingMax = 20;
export const nodesMax = 300;
/** How many elements of a list or a map a condition walks. */
export const walkedMax = 1_000;
export const patternCharsMax = 200;

/**
 * Where brackets, choices or signs are nested deeper than a condition may be, before the parser sees the text: what it
 * needs for such a text grows faster than the text. Null where they are not.
 */
export function tooDeepAt(text: string): number | null {
  let depth = 0;
  let choices = 0;
  let signs = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (char === '"' || char === "'") {
      at = endOfText(text, at, char);
      signs = 0;
    } else if (text.startsWith('//', at)) {
      at = endOfLine(text, at);
    } else if (!/\s/.test(char)) {
      if ('([{'.includes(char)) depth++;
      if (')]}'.includes(char)) depth = Math.max(0, depth - 1);
      if (char === '?') choices++;
      signs = '!-'.includes(char) ? signs + 1 : 0;
    }
    if (Math.max(depth, choices, signs) > nestingMax) return at;
  }
  return null;
}

const endOfLine = (text: string, at: number) => {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
};

/** A text in three quotes goes over lines, another one ends with its line at the latest. */
function endOfText(text: string, start: number, mark: string): number {
  const isRaw = /[rR][bB]?$/.test(text.slice(Math.max(0, start - 2), start));
  const triple = mark.repeat(3);
  const close = text.startsWith(triple, start) ? triple : mark;
  for (let at = start + close.length; at < text.length; at++) {
    if (text[at] === '\\' && !isRaw) at++;
    else if (text.startsWith(close, at)) return at + close.length - 1;
    else if (close === mark && text[at] === '\n') return at;
  }
  return text.length;
}
