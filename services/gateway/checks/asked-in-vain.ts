import {
  approverText,
  askedAs,
  askedOf,
  type Demand,
  type EventData,
  type EventOf,
  isAsked,
  isConcerned,
  isMet,
  type Person,
} from '@placet/events';
import type { RaiseAlarm } from '@placet/runtime';
import type { People } from '../accounts/people.ts';

type Needed = Pick<EventData<'approval.needed'>, 'demands' | 'steps' | 'owner' | 'on_behalf_of'>;
type Voter = Pick<Person, 'id' | 'email' | 'roles' | 'disabled'>;

/** An approval that nobody may vote on, or too few, would wait in silence until its deadline. */
export async function noticeInVain(
  { data }: EventOf<'approval.needed'>,
  people: People,
  alarm: RaiseAlarm,
): Promise<void> {
  const asked = askedInVain(data, people.list()).join(', ');
  if (asked === '') return;
  await alarm({
    kind: 'approval_without_approvers',
    about: data.action_id,
    message: `${data.action_id} of ${data.agent} asks ${asked}, and there are not enough such people who may vote.`,
    details: { action_id: data.action_id, asked },
  });
}

/** Whom it asks although all of them together could not meet it, now or when others are to be asked. */
export function askedInVain(needed: Needed, people: readonly Voter[]): string[] {
  const present = people.filter(({ disabled }) => !disabled);
  const demands = needed.demands.filter((demand) => !couldMeet(demand, needed, present));
  const steps = (needed.steps ?? []).flatMap((step) => (step.kind === 'escalate' ? step.approvers : []));
  const silent = steps.filter((approver) => !present.some((person) => isAsked(approver, person)));
  return [...new Set([...askedOf(demands), ...silent.map(approverText)])];
}

/** Whether it would be enough if everybody approved who may. */
function couldMeet(demand: Demand, needed: Needed, people: readonly Voter[]): boolean {
  const votes = people.flatMap(({ id, email, roles }) => {
    const as = isConcerned(demand, needed, { email }) ? [] : askedAs(demand, { email, roles });
    return as.length > 0 ? [{ voter: { id, email }, vote: 'approve' as const, eligible_as: [{ as }] }] : [];
  });
  return isMet(demand, votes, 0);
}
