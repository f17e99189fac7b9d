import { createHmac } from 'node:crypto';
import type { Found, Link } from './links.ts';

const missesMax = 10;

/**
 * Four digits that stand on the page of a mailed link, and that a person reads and types. A program that opens links,
 * runs what it finds and fills and sends every form does not read what it is to write; what a browser says of hands is
 * not enough, as a program that drives one says the same.
 */
export function digitsOf(token: string): string {
  const bytes = createHmac('sha256', token).update('code').digest();
  return String(bytes.readUInt32BE() % 10_000).padStart(4, '0');
}

/** Whoever guesses is stopped. */
export function isGuessed({ misses = 0 }: Link): boolean {
  return misses >= missesMax;
}

export const digitsWanted = 'Type the four digits that stand beside the field, and press again.';

/** However many guess at once, no more are compared than there is room for. What are no four digits is no guess. */
export async function guessOf(
  found: Pick<Found<Link['kind']>, 'takeGuess'>,
  token: string,
  typed = '',
): Promise<'right' | 'wrong' | 'over'> {
  const given = typed.trim();
  if (!/^\d{4}$/.test(given)) return 'wrong';
  if (!(await found.takeGuess(missesMax))) return 'over';
  return given === digitsOf(token) ? 'right' : 'wrong';
}
