import { type Service, SignerKey } from '@placet/events';
import type { Jwk, Jwks } from '@placet/proof';
import type { ConfigStore } from './config-store.ts';
import { Refusal } from './errors.ts';

/** Makes a service's public key known, so that everyone can check its proofs. */
export async function publishSigner(
  store: ConfigStore<SignerKey>,
  service: Service,
  jwk: Jwk & { kid: string },
): Promise<void> {
  if (store.get(jwk.kid)?.status === 'valid') return;
  const expected = store.get(jwk.kid)?.revision ?? 0;
  try {
    await store.put(jwk.kid, SignerKey.parse({ service, jwk }), {
      by: `service:${service}`,
      why: 'a signing key',
      expected,
    });
  } catch (error) {
    // Another instance with the same key was first.
    if (!(error instanceof Refusal && error.code === 'REVISION_CONFLICT')) throw error;
  }
}

/** Whose proofs are believed: every key that a service has made known. */
export function trustedOf(store: ConfigStore<SignerKey>): Jwks {
  return { keys: store.all().flatMap((entry) => (entry.status === 'valid' ? [entry.value.jwk] : [])) };
}
