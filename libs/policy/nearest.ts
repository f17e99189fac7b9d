/** The word most like the one written, if any is like it at all; of equals the first. */
export const nearest = (written: string, words: Iterable<string>): string | undefined => {
  // Longer than any word we know by far: not a slip of the pen, and not worth the quadratic distance.
  if (written.length > 40) return undefined;
  let best: string | undefined;
  let bestDistance = Math.floor(written.length / 3) + 2;
  for (const word of words) {
    const distance = editDistance(written.toLowerCase(), word);
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best;
};

// Insertions, deletions, substitutions, and swaps of neighbours (optimal string alignment).
const editDistance = (a: string, b: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
};
