import type { StoredCredential } from '@placet/events';
import { createCredential, matchesHash } from '@placet/proof';
import { Refusal } from '@placet/runtime';

/** How many an agent or a person has that work, and how many that have ended are remembered. */
export const credentialsMax = 20;

/** A new key or token: its text goes to the caller once, the rest is stored. */
export function issueCredential(
  kind: 'agent' | 'person',
  now: Date,
  expiresAt?: string,
): { text: string; stored: StoredCredential } {
  const { text, id, hash } = createCredential(kind);
  const created_at = now.toISOString();
  return { text, stored: { id, hash, created_at, ...(expiresAt ? { expires_at: expiresAt } : {}) } };
}

export function isCurrent(credential: StoredCredential, text: string, now: Date): boolean {
  return !hasEnded(credential, now) && matchesHash(text, credential.hash);
}

export function hasEnded({ revoked_at, expires_at }: StoredCredential, now: Date): boolean {
  return revoked_at !== undefined || (expires_at !== undefined && Date.parse(expires_at) <= now.getTime());
}

/** One more. Of those that have ended only the latest are kept; one that still works is never dropped for another. */
export function withNew(
  credentials: StoredCredential[],
  added: StoredCredential,
  now: Date,
): StoredCredential[] {
  const ended = credentials.filter((c) => hasEnded(c, now));
  if (credentials.length - ended.length >= credentialsMax) {
    throw new Refusal('VALIDATION_ERROR', {
      message: `There are ${credentialsMax} already, which is the most. Revoke one first.`,
    });
  }
  const forgotten = new Set(ended.slice(0, -credentialsMax));
  return [...credentials.filter((c) => !forgotten.has(c)), added];
}

/** Gives a credential an end, or leaves it the earlier one that it has. */
export function endBy(
  credentials: StoredCredential[],
  id: string,
  now: Date,
  graceMs: number,
): StoredCredential[] {
  if (graceMs === 0) return revoke(credentials, id, now);
  found(credentials, id);
  const ending = now.getTime() + graceMs;
  return credentials.map((c) => {
    if (c.id !== id) return c;
    const earliest = Math.min(ending, c.expires_at === undefined ? ending : Date.parse(c.expires_at));
    return { ...c, expires_at: new Date(earliest).toISOString() };
  });
}

export function revoke(credentials: StoredCredential[], id: string, now: Date): StoredCredential[] {
  found(credentials, id);
  return credentials.map((c) =>
    c.id === id && c.revoked_at === undefined ? { ...c, revoked_at: now.toISOString() } : c,
  );
}

function found(credentials: StoredCredential[], id: string): void {
  if (credentials.some((c) => c.id === id)) return;
  throw new Refusal('NOT_FOUND', { message: `There is no credential ${id} here.` });
}

/** What may be shown of a credential. */
export function shown({ hash: _hash, ...rest }: StoredCredential): Omit<StoredCredential, 'hash'> {
  return rest;
}
