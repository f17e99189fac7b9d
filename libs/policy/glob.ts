/** A pattern taken apart: its literal pieces between the stars. One piece means no star. */
export type Glob = { pieces: readonly string[] };

/** `*` stands for any run of characters, none and dots included; every other character for itself. */
export const parseGlob = (pattern: string): Glob => ({ pieces: pattern.split(/\*+/) });

export const isLiteral = ({ pieces }: Glob): boolean => pieces.length === 1;

/** What every name that matches begins with. */
export const literalPrefix = ({ pieces }: Glob): string => pieces[0] ?? '';

/**
 * Takes each piece at the first place where it fits and never goes back: since stars stand for any run, a later
 * place could only leave less room for the pieces that follow. So the cost is bounded by pattern times name.
 */
export const matchGlob = ({ pieces }: Glob, name: string): boolean => {
  const [head = '', ...rest] = pieces;
  const tail = rest.pop();
  if (tail === undefined) return name === head;
  if (!name.startsWith(head) || !name.endsWith(tail)) return false;
  const end = name.length - tail.length;
  let from = head.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, from);
    if (found === -1) return false;
    from = found + piece.length;
  }
  return from <= end;
};
