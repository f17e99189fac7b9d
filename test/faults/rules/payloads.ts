import { createHash } from 'node:crypto';
import type { Payload } from '../world.ts';

/** RFC 8785 of the flat objects that our agents send, and its digest: not by the code that is being judged. */
export function canonicalOf(payload: Payload): string {
  const members = Object.keys(payload)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(payload[name])}`);
  return `{${members.join(',')}}`;
}

export function digestOfPayload(payload: Payload): string {
  return `sha256:${createHash('sha256').update(canonicalOf(payload)).digest('hex')}`;
}

/** A payload with new values at paths such as "payload.amount". */
export function changedBy(payload: Payload, changes: Readonly<Record<string, unknown>>): Payload {
  const values = Object.entries(changes).map(([path, to]) => [path.replace(/^payload\./, ''), to]);
  return { ...payload, ...Object.fromEntries(values) };
}
