import * as z from 'zod';
import { AgentName, Digest, Instant, nameForm, services } from './names.ts';

/** A key or token: what is kept is its look-up id and the hash of the whole. */
export const StoredCredential = z.object({
  id: z.string(),
  hash: z.string(),
  created_at: Instant,
  expires_at: Instant.optional(),
  revoked_at: Instant.optional(),
});
export type StoredCredential = z.infer<typeof StoredCredential>;

/** A secret as it is kept: in a box that the master key opens. */
export const BoxedSecret = z.object({
  box: z.string(),
  made_at: Instant,
  /** Until then it is signed with as well; absent on the current one. */
  until: Instant.optional(),
});
export type BoxedSecret = z.infer<typeof BoxedSecret>;

/** In the place of an owner, while nobody has taken the agent. */
export const unassigned = 'unassigned';

export const Agent = z.object({
  name: AgentName,
  /** An email, or `unassigned`. What was stored before that was asked for is read as it is. */
  owner: z.string(),
  created_at: Instant,
  disabled: z.boolean(),
  keys: z.array(StoredCredential),
  /** Where it may have itself called back: `host`, or `host:port`. */
  callback_hosts: z.array(z.string()).optional(),
  /** What its callbacks are signed with, the current one first. */
  callback_secrets: z.array(BoxedSecret).optional(),
});
export type Agent = z.infer<typeof Agent>;

export const Role = z.string().regex(nameForm, 'must be 1 to 64 lower-case letters, digits or hyphens');

/** Who a person is in Slack: user ids mean something within their workspace alone. */
export const SlackIdentity = z.object({
  team: z.string().regex(/^[TE][A-Z0-9]{1,30}$/, 'must be the id of a workspace, as T0123ABCD'),
  user: z.string().regex(/^[UW][A-Z0-9]{1,30}$/, 'must be the id of a user, as U0123ABCD'),
});
export type SlackIdentity = z.infer<typeof SlackIdentity>;

export const Person = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string().optional(),
  roles: z.array(Role),
  slack: z.array(SlackIdentity).optional(),
  created_at: Instant,
  disabled: z.boolean(),
  /** Sessions from before the last time are over, also when the person is back. */
  times_disabled: z.number().int().optional(),
  tokens: z.array(StoredCredential),
});
export type Person = z.infer<typeof Person>;

/** A channel in which not whoever has the role approver may vote, but whoever has this one. */
export const ChannelRole = z.object({ channel: z.string(), role: Role.nullable() });
export type ChannelRole = z.infer<typeof ChannelRole>;

export const PolicyText = z.object({
  scope: z.string(),
  text: z.string(),
  digest: Digest,
  /** Taken away: the scope abstains as if it had never been. Values are never deleted, so that nobody else can. */
  removed: z.boolean().optional(),
});
export type PolicyText = z.infer<typeof PolicyText>;

/** A public key that checks proofs. It stays after its service has taken a new one, as its proofs do. */
export const SignerKey = z.object({
  service: z.enum(services),
  jwk: z.object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string(),
    kid: z.string(),
    alg: z.literal('EdDSA'),
    use: z.literal('sig'),
  }),
});
export type SignerKey = z.infer<typeof SignerKey>;

export const PolicyScope = z
  .string()
  .regex(
    /^(guardrail|default|(agent|named|set):[a-z0-9-]{1,64})$/,
    'must be guardrail, default, agent:<name>, named:<name> or set:<name>',
  );

/** A scope as a key of its bucket, whose keys hold no colon. */
export const policyKey = (scope: string) => scope.replace(':', '.');
export const policyScope = (key: string) => key.replace('.', ':');
