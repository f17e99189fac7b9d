import type { StoredCredential } from '@placet/events';
import { createCredential, matchesHash } from '@placet/proof';
import { Refusal } from '@placet/runtime';

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
  if (credential.revoked_at !== undefined) return false;
  if (credential.expires_at !== undefined && Date.parse(credential.expires_at) <= now.getTime()) return false;
  return matchesHash(text, credential.hash);
}

export function revoke(credentials: StoredCredential[], id: string, now: Date): StoredCredential[] {
  if (!credentials.some((c) => c.id === id)) {
    throw new Refusal('NOT_FOUND', { message: `There is no credential ${id} here.` });
  }
  return credentials.map((c) =>
    c.id === id && c.revoked_at === undefined ? { ...c, revoked_at: now.toISOString() } : c,
  );
}

/** What may be shown of a credential. */
export function shown({ hash: _hash, ...rest }: StoredCredential): Omit<StoredCredential, 'hash'> {
  return rest;
}
