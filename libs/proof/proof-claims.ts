import { z } from 'zod';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const seconds = z.number().int().nonnegative();

/** What a proof says. `sub` is the action's id, `action` its name, `jti` the id of the decision's event. */
export const proofClaims = z
  .strictObject({
    iss: z.string().min(1),
    sub: z.string().min(1),
    agent: z.string().min(1),
    action: z.string().min(1),
    decision: z.enum(['allowed', 'denied']),
    payload_digest: digest,
    policies: z.array(z.strictObject({ scope: z.string().min(1), digest: z.string().min(1) })),
    deciders: z.array(z.string().min(1)),
    event: z.string().min(1),
    /** What people chose among, and the digest of what they answered. */
    choice: z.string().min(1).exactOptional(),
    answer_digest: digest.exactOptional(),
    iat: seconds,
    nbf: seconds.exactOptional(),
    exp: seconds.exactOptional(),
    jti: z.string().min(1),
  })
  .refine((claims) => claims.decision === 'denied' || claims.exp !== undefined, {
    path: ['exp'],
    message: 'what is allowed is allowed until some time',
  });

export type ProofClaims = z.infer<typeof proofClaims>;
