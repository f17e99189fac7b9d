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

/** What to do where the digits are not there; null where they are. What are no four digits is no guess of them. */
export async function digitsProblem(
  found: Pick<Found<Link['kind']>, 'miss'>,
  token: string,
  typed = '',
): Promise<string | null> {
  const given = typed.trim();
  if (given === digitsOf(token)) return null;
  if (/^\d{4}$/.test(given)) await found.miss();
  return 'Type the four digits that stand beside the field, and press again.';
}
