import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { digestOf } from './canonical.ts';
import { jwkOf, thumbprintOf } from './jwk.ts';
import { createSigner, generateSigningKey, type ProofClaims, verifyProof } from './sign.ts';

const pem = generateSigningKey();
const signer = createSigner(pem);
const keys = { keys: [signer.publicJwk] };
const now = new Date('2026-01-02T03:04:05Z');
const nowSeconds = now.getTime() / 1000;

const claims: ProofClaims = {
  iss: 'placet/decisions',
  sub: 'act_1',
  agent: 'support',
  action: 'refund.create',
  decision: 'allowed',
  payload_digest: digestOf({ amount: 10 }),
  policies: [{ scope: 'guardrail', digest: digestOf('a policy') }],
  deciders: ['person:per_1'],
  event: 'evt_1',
  iat: nowSeconds - 10,
  exp: nowSeconds + 600,
  jti: 'evt_2',
};
const proof = signer.signProof(claims);

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** A proof of any shape, signed rightly with the service's own key. */
function signedWith(header: unknown, body: unknown, key = pem): string {
  const signed = `${encode(header)}.${encode(body)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

const header = { alg: 'EdDSA', typ: 'placet-proof+jwt', kid: signer.kid };

function codeOf(jws: string, expected = {}, jwks = keys): string {
  const verdict = verifyProof(jws, jwks, { now, ...expected });
  return verdict.ok ? 'ok' : verdict.code;
}

describe('signing', () => {
  test('a proof says what was signed, and jose agrees', async () => {
    expect(verifyProof(proof, keys, { now })).toEqual({ ok: true, claims });
    const { payload, protectedHeader } = await compactVerify(
      proof,
      await importJWK(signer.publicJwk, 'EdDSA'),
    );
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual(claims);
    expect(protectedHeader).toEqual(header);
  });

  test('the public key is a JWK without its private part, named by its RFC 7638 thumbprint', async () => {
    const { kid, x, ...rest } = signer.publicJwk;
    expect(rest).toEqual({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' });
    expect(kid).toBe(await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x }));
    expect(signer.kid).toBe(kid);
  });

  test('RFC 8037, appendix A.3: the thumbprint of its key', () => {
    expect(thumbprintOf('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo')).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  test('the same key gives the same kid, another key another', () => {
    expect(createSigner(pem).kid).toBe(signer.kid);
    expect(createSigner(generateSigningKey()).kid).not.toBe(signer.kid);
  });

  test('a key of another kind is refused', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    expect(() => createSigner(rsa.export({ type: 'pkcs8', format: 'pem' }) as string)).toThrow(/Ed25519/);
  });

  test('claims that no one could verify are not signed', () => {
    const { exp: _, ...endless } = claims;
    expect(() => signer.signProof(endless)).toThrow();
    expect(() => signer.signProof({ ...claims, payload_digest: 'md5:00' })).toThrow();
  });
});

describe('an altered proof is refused', () => {
  const [head = '', body = '', signature = ''] = proof.split('.');

  test('every changed character of it', () => {
    for (let at = 0; at < proof.length; at++) {
      const other = proof[at] === 'A' ? 'B' : 'A';
      expect(codeOf(proof.slice(0, at) + other + proof.slice(at + 1)), `character ${at}`).not.toBe('ok');
    }
  });

  test.each(Object.keys(claims))('another %s under the same signature', (name) => {
    const changed = {
      ...claims,
      [name]: typeof claims[name as keyof ProofClaims] === 'number' ? 9e9 : 'other',
    };
    expect(codeOf(`${head}.${encode(changed)}.${signature}`)).toBe('BAD_SIGNATURE');
  });

  test.each([
    ['nothing', ''],
    ['two parts', `${head}.${body}`],
    ['no signature', `${head}.${body}.`],
    ['four parts', `${proof}.AAAA`],
    ['a short signature', `${head}.${body}.${signature.slice(0, 40)}`],
    ['padding', `${proof}==`],
    ['white space', ` ${proof}`],
    ['a line feed', `${proof}\n`],
    ['the base64 alphabet', proof.replaceAll('-', '+').replaceAll('_', '/').replace(/.$/, '+')],
    ['too long', `${head}.${'A'.repeat(70_000)}.${signature}`],
  ])('%s', (_name, jws) => {
    expect(codeOf(jws)).toBe('MALFORMED');
  });

  test('the spare bits at the end of the signature are not free', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.at(-1) ?? '');
    expect(codeOf(proof.slice(0, -1) + alphabet[last + 1])).toBe('MALFORMED');
  });
});

describe('the header', () => {
  test('alg none, with and without a signature, is refused', () => {
    for (const alg of ['none', 'None', 'NONE', '']) {
      const jws = `${encode({ ...header, alg })}.${encode(claims)}`;
      expect(codeOf(`${jws}.`)).toBe('MALFORMED');
      expect(codeOf(`${jws}.${proof.split('.')[2]}`)).toBe('MALFORMED');
    }
  });

  test('an HMAC with the public key as its secret is refused', () => {
    for (const alg of ['HS256', 'HS512', 'EdDSA']) {
      const signed = `${encode({ ...header, alg })}.${encode(claims)}`;
      const digest = alg === 'HS256' ? 'sha256' : 'sha512';
      const mac = createHmac(digest, Buffer.from(signer.publicJwk.x, 'base64url'))
        .update(signed)
        .digest('base64url');
      expect(codeOf(`${signed}.${mac}`)).not.toBe('ok');
    }
  });

  test.each([
    ['ES256', { ...header, alg: 'ES256' }],
    ['eddsa', { ...header, alg: 'eddsa' }],
    ['no typ', { alg: 'EdDSA', kid: signer.kid }],
    ['another typ', { ...header, typ: 'JWT' }],
    ['no kid', { alg: 'EdDSA', typ: header.typ }],
    ['crit', { ...header, crit: ['b64'], b64: false }],
    ['a key of its own', { ...header, jwk: signer.publicJwk }],
    ['alg twice', `{"alg":"none","alg":"EdDSA","typ":"placet-proof+jwt","kid":"${signer.kid}"}`],
    ['no object', '"EdDSA"'],
    ['no JSON', '{'],
  ])('%s is refused, although rightly signed', (_name, head) => {
    expect(codeOf(signedWith(head, claims))).toBe('MALFORMED');
  });
});

describe('the key', () => {
  const stranger = generateSigningKey();
  const strangerKey = createSigner(stranger).publicJwk;

  test('a key that is not in the set is unknown', () => {
    expect(codeOf(createSigner(stranger).signProof(claims))).toBe('UNKNOWN_KEY');
    expect(codeOf(proof, {}, { keys: [] })).toBe('UNKNOWN_KEY');
  });

  test("a stranger's signature under our kid is bad", () => {
    expect(codeOf(signedWith(header, claims, stranger))).toBe('BAD_SIGNATURE');
  });

  test("a stranger's key that calls itself by our kid does not hide ours, nor replaces it", () => {
    const imposter = { ...strangerKey, kid: signer.kid };
    expect(codeOf(proof, {}, { keys: [imposter, signer.publicJwk] })).toBe('ok');
    expect(codeOf(proof, {}, { keys: [imposter] })).toBe('BAD_SIGNATURE');
  });

  test.each([
    ['for encryption', { use: 'enc' }],
    ['of another curve', { crv: 'X25519' }],
    ['of another type', { kty: 'oct' }],
    ['of another algorithm', { alg: 'HS256' }],
    ['that is broken', { x: 'AAAA' }],
  ])('a key %s does not count', (_name, change) => {
    expect(codeOf(proof, {}, { keys: [{ ...signer.publicJwk, ...change }] })).toBe('UNKNOWN_KEY');
  });

  test('after a rotation both keys count', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const next = createSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const both = { keys: [jwkOf(publicKey), signer.publicJwk] };
    expect(codeOf(proof, {}, both)).toBe('ok');
    expect(codeOf(next.signProof(claims), {}, both)).toBe('ok');
  });
});

describe('the claims', () => {
  const without = (name: keyof ProofClaims) => ({ ...claims, [name]: undefined });

  test.each((Object.keys(claims) as (keyof ProofClaims)[]).map((name) => [name]))(
    'without %s are refused',
    (name) => {
      expect(codeOf(signedWith(header, without(name)))).toBe('MALFORMED');
    },
  );

  test.each([
    ['another decision', { ...claims, decision: 'approved' }],
    ['an unknown claim', { ...claims, admin: true }],
    ['exp as text', { ...claims, exp: String(claims.exp) }],
    ['exp beyond numbers', JSON.stringify(claims).replace(`"exp":${claims.exp}`, '"exp":1e400')],
    ['exp twice', JSON.stringify(claims).replace('{', '{"exp":1,')],
    ['a digest that is none', { ...claims, payload_digest: 'sha256:00' }],
    ['no object', [claims]],
  ])('%s: refused, although rightly signed', (_name, body) => {
    expect(codeOf(signedWith(header, body))).toBe('MALFORMED');
  });

  test('a denial needs no expiry', () => {
    const { exp: _, ...denied } = { ...claims, decision: 'denied' as const };
    expect(verifyProof(signer.signProof(denied), keys, { now })).toEqual({ ok: true, claims: denied });
  });
});

describe('expectations', () => {
  test.each([
    ['action_id', 'act_1', 'act_2'],
    ['payload_digest', claims.payload_digest, digestOf({ amount: 11 })],
    ['agent', 'support', 'billing'],
    ['action', 'refund.create', 'refund.delete'],
    ['decision', 'allowed', 'denied'],
  ])('another %s is a mismatch', (name, right, wrong) => {
    expect(codeOf(proof, { [name]: right })).toBe('ok');
    expect(codeOf(proof, { [name]: wrong })).toBe('MISMATCH');
    expect(codeOf(proof, { [name]: '' })).toBe('MISMATCH');
  });

  test('a proof ends at exp, and begins at nbf', () => {
    const at = (seconds: number) => ({ now: new Date(seconds * 1000) });
    const end = claims.exp ?? 0;
    expect(codeOf(proof, { now: new Date(end * 1000 - 1) })).toBe('ok');
    expect(codeOf(proof, at(end))).toBe('EXPIRED');
    const later = signer.signProof({ ...claims, nbf: nowSeconds + 60 });
    expect(codeOf(later, { now: new Date((nowSeconds + 60) * 1000 - 1) })).toBe('EXPIRED');
    expect(codeOf(later, at(nowSeconds + 60))).toBe('ok');
  });

  test('without a time the clock decides, with null no time does, with no valid time nothing is allowed', () => {
    const past = signer.signProof({ ...claims, iat: 1000, exp: 2000 });
    expect(verifyProof(past, keys)).toMatchObject({ ok: false, code: 'EXPIRED' });
    expect(verifyProof(past, keys, { now: null }).ok).toBe(true);
    expect(codeOf(proof, { now: new Date(Number.NaN) })).toBe('EXPIRED');
  });
});
