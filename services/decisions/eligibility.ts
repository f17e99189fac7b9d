import { type Approver, approverText, type Demand, type EventData, type VoteQuestion } from '@placet/events';

/** By which of the approvers a person may vote. A channel lets any person with the role approver vote. */
export function eligibility(
  { approvers, separate = false }: Demand,
  voter: VoteQuestion['voter'],
  { owner, on_behalf_of }: Pick<EventData<'approval.needed'>, 'owner' | 'on_behalf_of'>,
): string | null {
  const concerned = [owner, on_behalf_of].filter((who) => who !== undefined);
  if (separate && concerned.some((who) => isSame(voter.email, who))) return null;
  if (approvers.length === 0) return voter.roles.includes('approver') ? 'role:approver' : null;
  const as = approvers.find((approver) => includes(approver, voter));
  return as ? approverText(as) : null;
}

const isSame = (email: string, other: string) => email.toLowerCase() === other.trim().toLowerCase();

function includes(approver: Approver, voter: VoteQuestion['voter']): boolean {
  switch (approver.kind) {
    case 'channel':
      return voter.roles.includes('approver');
    case 'role':
      return voter.roles.includes(approver.role);
    case 'user':
      return isSame(voter.email, approver.email);
    default:
      return approver satisfies never;
  }
}
