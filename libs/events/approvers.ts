import * as z from 'zod';

/** A channel is kept without its `#`, an email in lower case. */
export const Approver = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('channel'),
    channel: z.string(),
    /** Who may vote there; absent: whoever has the role approver. As it was when people were asked. */
    role: z.string().optional(),
  }),
  z.object({ kind: z.literal('role'), role: z.string() }),
  z.object({ kind: z.literal('user'), email: z.string() }),
  z.object({ kind: z.literal('pagerduty'), service: z.string() }),
]);
export type Approver = z.infer<typeof Approver>;

/** Whom one layer of the policy asks. No approvers means any person with the role approver. */
export const Demand = z.object({
  scope: z.string().nullable(),
  rule: z.string().nullable(),
  /** Everybody who is asked, wherever in a group. */
  approvers: z.array(Approver),
  /**
   * Where not any of them will do: the ways in which it can be met. Each is a list of places, each to be taken by
   * another person, who is one of those that stand there as text.
   */
  ways: z
    .array(z.array(z.array(z.string()).min(1)).min(1))
    .min(1)
    .optional(),
  quorum: z.number().int().positive(),
  /**
   * Whether the owner of the agent that asks may not vote, nor on whose behalf it asks, nor who changed the payload.
   */
  separate: z.boolean().optional(),
  /** Whom the agent named, and not the policy. */
  by_agent: z.literal(true).optional(),
  /** Absent: one rejection ends it. */
  reject: z.literal('majority').optional(),
});
export type Demand = z.infer<typeof Demand>;

/** Whether somebody is meant, and not a place where people are told. */
export const isByName = (approverText: string) =>
  !approverText.startsWith('#') && !approverText.startsWith('pagerduty:');

export function approverText(approver: Approver): string {
  switch (approver.kind) {
    case 'channel':
      return `#${approver.channel}`;
    case 'role':
      return `role:${approver.role}`;
    case 'user':
      return `user:${approver.email}`;
    case 'pagerduty':
      return `pagerduty:${approver.service}`;
    default:
      return approver satisfies never;
  }
}

/** With the roles that channels are mapped to now. */
export function inChannels(
  approvers: Approver[],
  roleOf: (channel: string) => string | undefined,
): Approver[] {
  return approvers.map((approver) => {
    const role = approver.kind === 'channel' ? roleOf(approver.channel) : undefined;
    return role === undefined ? approver : { ...approver, role };
  });
}

/** Where nobody in particular is asked. */
export const anyApprover = 'role:approver';

/** Everybody who is asked, as people write it. */
export function askedOf(demands: readonly Pick<Demand, 'approvers'>[]): string[] {
  const asked = demands.flatMap(({ approvers }) =>
    approvers.length > 0 ? approvers.map(approverText) : [anyApprover],
  );
  return [...new Set(asked)];
}

/** A channel is a place to be told; who may vote there is any person with its role. */
function keyOf(approver: Approver): string {
  switch (approver.kind) {
    case 'channel':
      return approver.role === undefined ? anyApprover : `role:${approver.role}`;
    case 'pagerduty':
      return anyApprover;
    default:
      return approverText(approver).toLowerCase();
  }
}

/** Under which keys people are asked, as lists are searched by them. */
export function audienceOf(demands: readonly Pick<Demand, 'approvers'>[]): string[] {
  const keys = demands.flatMap(({ approvers }) =>
    approvers.length === 0 ? [anyApprover] : approvers.map(keyOf),
  );
  return [...new Set(keys)];
}

type Named = { email: string; roles: string[] };

/** As whom of these a person is asked, as people write it. */
export function askedAs({ approvers }: Pick<Demand, 'approvers'>, person: Named): string[] {
  if (approvers.length === 0) return person.roles.includes('approver') ? [anyApprover] : [];
  return approvers.filter((approver) => isAsked(approver, person)).map(approverText);
}

export function isAsked(approver: Approver, { email, roles }: Named): boolean {
  switch (approver.kind) {
    // Places to be told; whoever may vote there has the role.
    case 'channel':
      return roles.includes(approver.role ?? 'approver');
    case 'pagerduty':
      return roles.includes('approver');
    case 'role':
      return roles.includes(approver.role);
    case 'user':
      return isSameEmail(email, approver.email);
    default:
      return approver satisfies never;
  }
}

export function isSameEmail(email: string, other: string): boolean {
  return email.toLowerCase() === other.trim().toLowerCase();
}

/** Whether a demand keeps a person out because it is about what is theirs. */
export function isConcerned(
  { separate }: Pick<Demand, 'separate'>,
  { owner, on_behalf_of }: { owner?: string | undefined; on_behalf_of?: string | undefined },
  { email }: Pick<Named, 'email'>,
): boolean {
  const concerned = [owner, on_behalf_of].filter((who) => who !== undefined);
  return separate === true && concerned.some((who) => isSameEmail(email, who));
}

/** Under which keys a person can be asked. */
export function audienceKeysOf(person: { email: string; roles: string[] }): string[] {
  return [...person.roles.map((role) => `role:${role}`), `user:${person.email.toLowerCase()}`];
}
