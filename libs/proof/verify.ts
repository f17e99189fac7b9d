import { verify } from 'node:crypto';
import { z } from 'zod';
import { type Jwks, publicKeyOf } from './jwk.ts';
import { type ProofClaims, proofClaims } from './proof-claims.ts';
import { parseJson } from './strict-json.ts';

const proofCharsMax = 65_536;
const signatureBytes = 64;

/** Exactly these members: `none`, `crit`, `b64` or a key inside the token find no foothold. */
const proofHeader = z.strictObject({
  alg: z.literal('EdDSA'),
  typ: z.literal('placet-proof+jwt'),
  kid: z.string().min(1),
});

export type ProofExpectation = {
  action_id?: string;
  payload_digest?: string;
  agent?: string;
  action?: string;
  decision?: ProofClaims['decision'];
  /** The time to judge by: absent, the clock; null, none, as for a record that is read later. */
  now?: Date | null;
};

export type ProofVerdict =
  | { ok: true; claims: ProofClaims }
  | {
      ok: false;
      code: 'MALFORMED' | 'UNKNOWN_KEY' | 'BAD_SIGNATURE' | 'EXPIRED' | 'MISMATCH';
      message: string;
    };

/**
 * Says whether a service that holds one of the keys signed this proof, and whether it is the proof
 * expected. A denial has a proof too: look at `claims.decision`, or expect `allowed`.
 */
export function verifyProof(jws: string, keys: Jwks, expected: ProofExpectation = {}): ProofVerdict {
  const parts = split(jws);
  if (parts === null) return failed('MALFORMED', 'A proof is three base64url parts between dots.');
  const kid = kidOf(parts.header);
  if (kid === null) {
    return failed('MALFORMED', 'The header of a proof has alg "EdDSA", typ "placet-proof+jwt" and a kid.');
  }

  const candidates = keys.keys.filter((key) => key.kid === kid);
  const publicKeys = candidates.map(publicKeyOf).filter((key) => key !== null);
  if (publicKeys.length === 0) {
    return failed('UNKNOWN_KEY', `No Ed25519 key with the kid "${kid}". Fetch the keys again.`);
  }
  const isSigned = publicKeys.some((key) => verify(null, parts.signed, key, parts.signature));
  if (!isSigned) return failed('BAD_SIGNATURE', 'The signature does not belong to this proof.');

  const claims = proofClaims.safeParse(jsonOf(parts.claims));
  if (!claims.success) return failed('MALFORMED', `The claims are wrong: ${z.prettifyError(claims.error)}`);
  return judge(claims.data, expected);
}

function judge(claims: ProofClaims, expected: ProofExpectation): ProofVerdict {
  const compared = [
    ['action_id', expected.action_id, claims.sub],
    ['payload_digest', expected.payload_digest, claims.payload_digest],
    ['agent', expected.agent, claims.agent],
    ['action', expected.action, claims.action],
    ['decision', expected.decision, claims.decision],
  ] as const;
  const other = compared.find(([, wanted, given]) => wanted !== undefined && wanted !== given);
  if (other !== undefined) return failed('MISMATCH', `The proof is for another ${other[0]}: "${other[2]}".`);
  if (expected.now === null) return { ok: true, claims };

  const nowMs = (expected.now ?? new Date()).getTime();
  // RFC 7519, section 4.1.4: not accepted on or after `exp`. Written so that an invalid date is expired too.
  if (claims.exp !== undefined && !(nowMs < claims.exp * 1000))
    return failed('EXPIRED', 'The proof has expired.');
  if (claims.nbf !== undefined && !(nowMs >= claims.nbf * 1000)) {
    return failed('EXPIRED', 'The proof is not valid yet.');
  }
  return { ok: true, claims };
}

function split(jws: string) {
  if (typeof jws !== 'string' || jws.length > proofCharsMax) return null;
  const [header, ...parts] = jws.split('.');
  const [claims, signature, ...rest] = parts.map(decode);
  if (!header || !claims || !signature || rest.length > 0) return null;
  if (signature.length !== signatureBytes) return null;
  return { header, claims, signature, signed: Buffer.from(jws.slice(0, jws.lastIndexOf('.'))) };
}

/** A service writes the same header into all its proofs: those that were read are remembered. */
const readHeaders = new Map<string, string>();
const readHeadersMax = 100;

/** The key that a header names; null for what is no header of ours. */
function kidOf(header: string): string | null {
  const known = readHeaders.get(header);
  if (known !== undefined) return known;
  const bytes = decode(header);
  const parsed = bytes ? proofHeader.safeParse(jsonOf(bytes)) : undefined;
  if (!parsed?.success) return null;
  if (readHeaders.size >= readHeadersMax) readHeaders.clear();
  readHeaders.set(header, parsed.data.kid);
  return parsed.data.kid;
}

/** Node skips what is not base64url; here one proof has one spelling. */
function decode(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}

function jsonOf(bytes: Buffer): unknown {
  const parsed = parseJson(bytes);
  return parsed.ok ? parsed.value : undefined;
}

function failed(code: Exclude<ProofVerdict, { ok: true }>['code'], message: string): ProofVerdict {
  return { ok: false, code, message };
}
