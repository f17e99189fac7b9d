import { isScalar } from 'yaml';
import type { Node, Source } from './yaml.ts';

/** A path into the payload, of ten steps at most. */
export const pathForm = /^payload(\.[0-9]{0,20}[A-Za-z_-][A-Za-z0-9_-]{0,79}){1,10}$/;

export const readPath = (source: Source, item: Node, at: string, what: string): string | undefined => {
  const node = source.resolve(item, at);
  if (!node) return undefined;
  const written = isScalar(node) && typeof node.value === 'string' ? node.value : '';
  if (pathForm.test(written)) return written;
  source.problem(
    node,
    at,
    `${what}: expected a path into the payload, as payload.card_number, found ${source.describe(node)}`,
  );
  return undefined;
};

/** Whether a path leads to where another leads, or further. */
export const isWithin = (path: string, other: string): boolean =>
  path === other || path.startsWith(`${other}.`);

/** Whether what one path leads to is a part of what the other leads to. */
export const overlap = (one: string, other: string): boolean => isWithin(one, other) || isWithin(other, one);
