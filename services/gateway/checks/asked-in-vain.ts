import {
  approverText,
  askedOf,
  eligibilityOf,
  isAsked,
  isEligible,
  isMet,
  isOfType,
  type Person,
  type Standing,
  standingOf,
} from '@placet/events';
import { type BusContext, causeId, type RaiseAlarm, readHistoryFromLeader } from '@placet/runtime';
import type { People } from '../accounts/people.ts';

type Voter = Pick<Person, 'id' | 'email' | 'roles' | 'disabled'>;
type Parts = { alarm: RaiseAlarm; people: People };

/** An approval that nobody may vote on, or too few, would wait in silence until its deadline. */
export async function noticeInVain(standing: Standing, { alarm, people }: Parts): Promise<void> {
  const { action_id, agent } = standing.needed.data;
  const asked = askedInVain(standing, people.list()).join(', ');
  if (asked === '') return;
  await alarm({
    kind: 'approval_without_approvers',
    // Of an approval that was put right and is in vain again for another reason, too.
    about: causeId(action_id, asked),
    message: `${action_id} of ${agent} asks ${asked}, and there are not enough such people who may vote.`,
    details: { action_id, asked },
  });
}

/** How an approval stands that is open; null when it is over. */
export async function readStanding(
  context: BusContext,
  { agent, actionId }: { agent: string; actionId: string },
): Promise<Standing | null> {
  const events = (await readHistoryFromLeader(context, agent, actionId)).events.map(({ event }) => event);
  return events.some(isOfType('action.decided')) ? null : standingOf(events);
}

/** Whom it asks although all of them together could not meet it, now or when others are to be asked. */
export function askedInVain(standing: Standing, people: readonly Voter[]): string[] {
  const present = people.filter(({ disabled }) => !disabled);
  const votes = [...castBefore(standing), ...votesOf(standing, present)];
  const unmet = standing.demands.filter((demand, position) => !isMet(demand, votes, position));
  const steps = (standing.needed.data.steps ?? []).slice(standing.steps);
  const later = steps.flatMap((step) => (step.kind === 'escalate' ? step.approvers : []));
  const silent = later.filter((approver) => !present.some((person) => isAsked(approver, person)));
  return [...new Set([...askedOf(unmet), ...silent.map(approverText)])];
}

type Votes = Parameters<typeof isMet>[1];

/** What was approved counts on, also of those who are not asked any more. */
function castBefore({ votes }: Standing): Votes {
  return votes.map(({ data }) => ({ ...data, vote: 'approve' as const }));
}

/** As if everybody approved who may. */
function votesOf(standing: Standing, people: readonly Voter[]): Votes {
  return people.flatMap(({ id, email, roles }) => {
    const eligible_as = eligibilityOf(standing, { id, email, roles });
    return isEligible(eligible_as) ? [{ voter: { id, email }, vote: 'approve' as const, eligible_as }] : [];
  });
}
