import { createPublicKey, type KeyObject } from 'node:crypto';
import { sha256Hex } from './canonical.ts';

export type Jwk = { kty: string; crv: string; x: string; kid: string; alg?: string; use?: string };

export type Jwks = { keys: readonly Jwk[] };

/** These keys with those of the signers: one stays when its signer has taken a new one, as its proofs do. */
export function trusting(known: Jwks, signers: readonly { publicJwk: Jwk }[]): Jwks {
  const fresh = signers
    .map(({ publicJwk }) => publicJwk)
    .filter(({ kid }) => !known.keys.some((key) => key.kid === kid));
  return fresh.length === 0 ? known : { keys: [...known.keys, ...fresh] };
}

export function jwkOf(publicKey: KeyObject): Required<Jwk> {
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('An Ed25519 public key has an "x".');
  return { kty: 'OKP', crv: 'Ed25519', x, kid: thumbprintOf(x), alg: 'EdDSA', use: 'sig' };
}

/** RFC 7638, section 3.2: the required members of an OKP key (RFC 8037) in lexical order, hashed. */
export function thumbprintOf(x: string): string {
  const members = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x });
  return Buffer.from(sha256Hex(members), 'hex').toString('base64url');
}

const readKeys = new WeakMap<Jwk, { x: string; key: KeyObject }>();

/** Null for what is no Ed25519 key to verify with, whatever its `kid` says. */
export function publicKeyOf(jwk: Jwk): KeyObject | null {
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519') return null;
  if ((jwk.alg ?? 'EdDSA') !== 'EdDSA' || (jwk.use ?? 'sig') !== 'sig') return null;
  const known = readKeys.get(jwk);
  if (known && known.x === jwk.x) return known.key;
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: jwk.x }, format: 'jwk' });
    readKeys.set(jwk, { x: jwk.x, key });
    return key;
  } catch {
    return null;
  }
}
