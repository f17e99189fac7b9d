/** What a hunk shows around a change, as every `diff -u` does. */
const contextLines = 3;
/** Beyond so many changed lines nobody reads a diff, and what finding the shortest costs grows with their square. */
const editsMax = 1000;
/** How many lines are compared at most, whatever the texts are. */
const comparisonsMax = 5_000_000;

/** Lines of one text that are replaced by lines of the other; one of the counts may be 0. */
export type Change = { fromStart: number; fromCount: number; toStart: number; toCount: number };
export type NamedText = { name: string; text: string };
export type TextDiff = { diff: string; added: number; removed: number };

/** A unified diff, empty for equal texts. Where the shortest one costs too much, it is one that is right all the same. */
export function diffTexts(from: NamedText, to: NamedText): TextDiff {
  const [fromLines, toLines] = [linesOf(from.text), linesOf(to.text)];
  const changes = changesBetween(fromLines, toLines);
  const hunks = hunksOf(changes).map((hunk) => hunkText(hunk, fromLines, toLines));
  return {
    diff: hunks.length === 0 ? '' : [`--- ${from.name}\n`, `+++ ${to.name}\n`, ...hunks].join(''),
    added: changes.reduce((sum, { toCount }) => sum + toCount, 0),
    removed: changes.reduce((sum, { fromCount }) => sum + fromCount, 0),
  };
}

/** Each with its line feed, which the last may lack: a text without it is another text. */
function linesOf(text: string): string[] {
  const lines = text.split(/(?<=\n)/);
  return text === '' ? [] : lines;
}

export function changesBetween(from: string[], to: string[]): Change[] {
  const start = commonStart(from, to);
  const end = commonEnd(from, to, start);
  const [fromEnd, toEnd] = [from.length - end, to.length - end];
  if (start === fromEnd && start === toEnd) return [];
  const all = { fromStart: start, fromCount: fromEnd - start, toStart: start, toCount: toEnd - start };
  const numberOf = numbering();
  const found = shortestEdit(from.slice(start, fromEnd).map(numberOf), to.slice(start, toEnd).map(numberOf));
  if (!found) return [all];
  return found.map((change) => ({
    ...change,
    fromStart: change.fromStart + start,
    toStart: change.toStart + start,
  }));
}

function commonStart(from: string[], to: string[]): number {
  const length = Math.min(from.length, to.length);
  let start = 0;
  while (start < length && from[start] === to[start]) start++;
  return start;
}

function commonEnd(from: string[], to: string[], start: number): number {
  const length = Math.min(from.length, to.length) - start;
  let end = 0;
  while (end < length && from[from.length - 1 - end] === to[to.length - 1 - end]) end++;
  return end;
}

/** Equal lines have equal numbers, which compare faster. */
function numbering(): (line: string) => number {
  const numbers = new Map<string, number>();
  return (line) => {
    const known = numbers.get(line);
    if (known !== undefined) return known;
    numbers.set(line, numbers.size);
    return numbers.size - 1;
  };
}

/**
 * E. W. Myers, An O(ND) Difference Algorithm and Its Variations (1986), the greedy form. `furthest` holds for each
 * diagonal k = x - y how far a path with so many edits gets. Null when it takes more than the limits above.
 */
function shortestEdit(from: number[], to: number[]): Change[] | null {
  const [fromCount, toCount] = [from.length, to.length];
  const edits = Math.min(fromCount + toCount, editsMax);
  const furthest = new Int32Array(2 * edits + 3);
  const middle = edits + 1;
  const at = (k: number) => furthest[middle + k] ?? 0;
  const rounds: Int32Array[] = [];
  let comparisons = 0;
  for (let d = 0; d <= edits; d++) {
    rounds.push(furthest.slice(middle - d - 1, middle + d + 2));
    for (let k = -d; k <= d; k += 2) {
      let x = isDown(at, k, d) ? at(k + 1) : at(k - 1) + 1;
      const first = x;
      while (x < fromCount && x - k < toCount && from[x] === to[x - k]) x++;
      comparisons += x - first + 1;
      furthest[middle + k] = x;
      if (x >= fromCount && x - k >= toCount) return changesOf(rounds, fromCount, toCount);
    }
    if (comparisons > comparisonsMax) return null;
  }
  return null;
}

/** Whether the path to the diagonal k comes from the one above it, by a line that is added. */
function isDown(at: (k: number) => number, k: number, d: number): boolean {
  return k === -d || (k !== d && at(k - 1) < at(k + 1));
}

/** The way back, from the end of both texts: what each round had before it says where its edit came from. */
function changesOf(rounds: Int32Array[], fromCount: number, toCount: number): Change[] {
  const changes: Change[] = [];
  let [x, y] = [fromCount, toCount];
  for (let d = rounds.length - 1; d > 0; d--) {
    const before = rounds[d];
    const at = (k: number) => before?.[d + 1 + k] ?? 0;
    const k = x - y;
    const down = isDown(at, k, d);
    const from = down ? k + 1 : k - 1;
    x = at(from);
    y = x - from;
    addEdit(changes, { fromStart: x, fromCount: down ? 0 : 1, toStart: y, toCount: down ? 1 : 0 });
  }
  return changes.reverse();
}

/** An edit directly before the one that was found last belongs to the same change. */
function addEdit(changes: Change[], edit: Change): void {
  const next = changes.at(-1);
  const isAdjacent =
    next &&
    edit.fromStart + edit.fromCount === next.fromStart &&
    edit.toStart + edit.toCount === next.toStart;
  if (!isAdjacent) {
    changes.push(edit);
    return;
  }
  next.fromStart = edit.fromStart;
  next.toStart = edit.toStart;
  next.fromCount += edit.fromCount;
  next.toCount += edit.toCount;
}

/** Changes whose surroundings touch are shown together. */
function hunksOf(changes: Change[]): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const hunk = hunks.at(-1);
    const last = hunk?.at(-1);
    if (hunk && last && change.fromStart - last.fromStart - last.fromCount <= 2 * contextLines) {
      hunk.push(change);
    } else hunks.push([change]);
  }
  return hunks;
}

function hunkText(changes: Change[], from: string[], to: string[]): string {
  const [first, last] = [changes[0], changes.at(-1)];
  if (!first || !last) return '';
  const before = Math.min(contextLines, first.fromStart);
  const [fromStart, toStart] = [first.fromStart - before, first.toStart - before];
  const fromEnd = Math.min(from.length, last.fromStart + last.fromCount + contextLines);
  const toEnd = last.toStart + last.toCount + fromEnd - last.fromStart - last.fromCount;
  const parts = [`@@ -${range(fromStart, fromEnd)} +${range(toStart, toEnd)} @@\n`];
  let position = fromStart;
  for (const change of changes) {
    const end = change.fromStart + change.fromCount;
    parts.push(marked(' ', from.slice(position, change.fromStart)));
    parts.push(marked('-', from.slice(change.fromStart, end)));
    parts.push(marked('+', to.slice(change.toStart, change.toStart + change.toCount)));
    position = end;
  }
  parts.push(marked(' ', from.slice(position, fromEnd)));
  return parts.join('');
}

/** Lines are counted from 1; an empty range names the line before it, and a count of 1 is left out. */
function range(start: number, end: number): string {
  const count = end - start;
  if (count === 1) return `${start + 1}`;
  return `${count === 0 ? start : start + 1},${count}`;
}

function marked(mark: string, lines: string[]): string {
  return lines
    .map((line) => `${mark}${line}${line.endsWith('\n') ? '' : '\n\\ No newline at end of file\n'}`)
    .join('');
}
