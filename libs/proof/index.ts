export { canonicalJson, digestOf, digestOfText, sha256Hex } from './canonical.ts';
export type { Credential, CredentialKind } from './credential.ts';
export { createCredential, matchesHash, parseCredential } from './credential.ts';
export type { JsonProblem } from './json-problem.ts';
export { trusting } from './jwk.ts';
export type { Sealer, SealKey, SealKeys } from './seal.ts';
export { createSealer, sealForm } from './seal.ts';
export { acceptedKeysMax, parseSealKeys, sealKeyText } from './seal-keys.ts';
export type { SecretBox } from './secret-box.ts';
export { createSecretBox, SecretBoxError } from './secret-box.ts';
export type { Jwk, Jwks, ProofClaims, ProofExpectation, ProofVerdict, Signer } from './sign.ts';
export { createSigner, generateSigningKey, verifyProof } from './sign.ts';
export type { WebhookHeaders, WebhookMessage } from './standard-webhooks.ts';
export {
  generateWebhookSecret,
  isWebhookSecret,
  parseWebhookSecret,
  signWebhook,
  verifyWebhook,
} from './standard-webhooks.ts';
export type { JsonResult } from './strict-json.ts';
export { parseJson } from './strict-json.ts';
