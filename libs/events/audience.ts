import { type Approver, approverText, type Demand } from './approval-events.ts';

/** A channel is a place to be told; who may vote there is any person with the role approver. */
function keyOf(approver: Approver): string {
  return approver.kind === 'channel' ? 'role:approver' : approverText(approver).toLowerCase();
}

/** Under which keys people are asked, as lists are searched by them. */
export function audienceOf(demands: Demand[]): string[] {
  const keys = demands.flatMap(({ approvers }) =>
    approvers.length === 0 ? ['role:approver'] : approvers.map(keyOf),
  );
  return [...new Set(keys)];
}

/** Under which keys a person can be asked. */
export function audienceKeysOf(person: { email: string; roles: string[] }): string[] {
  return [...person.roles.map((role) => `role:${role}`), `user:${person.email.toLowerCase()}`];
}
