import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { type Jwk, jwkOf } from './jwk.ts';
import { type ProofClaims, proofClaims } from './proof-claims.ts';

export type { Jwk, Jwks } from './jwk.ts';
export type { ProofClaims } from './proof-claims.ts';
export { type ProofExpectation, type ProofVerdict, verifyProof } from './verify.ts';

export type Signer = { kid: string; publicJwk: Required<Jwk>; signProof(claims: ProofClaims): string };

/** An Ed25519 key in PKCS #8 PEM, which is a secret. */
export function generateSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

export function createSigner(pem: string): Signer {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError(
      `Proofs are signed with an Ed25519 key; this one is ${privateKey.asymmetricKeyType}.`,
    );
  }
  const publicJwk = jwkOf(createPublicKey(privateKey));
  const header = encode(JSON.stringify({ alg: 'EdDSA', typ: 'placet-proof+jwt', kid: publicJwk.kid }));
  return {
    kid: publicJwk.kid,
    publicJwk,
    signProof(claims) {
      // Checked on the way out too: a proof that nobody can verify is worth nothing.
      const signed = `${header}.${encode(JSON.stringify(proofClaims.parse(claims)))}`;
      return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
    },
  };
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}
