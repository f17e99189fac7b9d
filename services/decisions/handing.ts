import {
  type Approver,
  approverText,
  audienceOf,
  dueOf,
  type EligibleAs,
  eligibilityOf,
  isEligible,
  isTakenBack,
  ownEligibilityOf,
  type VoteQuestion,
  whyNot,
} from '@placet/events';
import { beforehand, tooLate } from './asking.ts';
import { append, ofAction, type Ruling, refuse, settled } from './ending.ts';
import type { ActionState, Command, Held } from './state.ts';

type Reassign = Extract<Command, { kind: 'reassign' }>;

/** An approver hands the place that is theirs to others. It stays one place: of all of them one is counted. */
export function reassigned(command: Reassign, state: ActionState): Ruling {
  if (state.status === 'decided') return tooLate(command, state);
  const open = beforehand(command, state);
  return 'ruling' in open ? open.ruling : handOn(command, open.held);
}

function handOn({ question, request }: Reassign, { standing, numbers }: Held): Ruling {
  const { voter, approvers, comment, channel } = question;
  const handing = placeOf(standing, voter);
  if (!handing) return refuse('NOT_ELIGIBLE', whyNot(standing, voter) ?? undefined);
  const { place, eligible_as } = handing;
  const earlier = standing.handed.get(place)?.data;
  const isNothingNew = earlier
    ? earlier.by.id === voter.id && isSameList(earlier.approvers, approvers)
    : isTakenBack({ by: voter, place, approvers });
  if (isNothingNew) return settled;
  const others = [...standing.handed]
    .filter(([whose]) => whose !== place)
    .map(([, { data }]) => ({ approvers: data.approvers }));
  const { roles: _, ...by } = voter;
  const type = 'approval.reassigned';
  return append({
    type,
    data: {
      ...ofAction(standing, numbers, type),
      request,
      by,
      place,
      eligible_as,
      approvers,
      ...(comment === undefined ? {} : { comment }),
      channel,
      audience: audienceOf([...standing.demands, ...others, { approvers }]),
      due: dueOf(standing),
    },
  });
}

/** The place that a person can hand on: their own, or else one that was handed to them. */
function placeOf(
  standing: Held['standing'],
  person: VoteQuestion['voter'],
): { place: string; eligible_as: EligibleAs } | null {
  const own = ownEligibilityOf(standing, person);
  if (isEligible(own)) return { place: person.id, eligible_as: own };
  const handed = eligibilityOf(standing, person);
  const place = handed.find((as) => as !== null)?.in_place_of;
  if (place === undefined) return null;
  const eligible_as = handed.map((as) => (as?.in_place_of === place ? { as: as.as } : null));
  return { place, eligible_as };
}

function isSameList(one: Approver[], other: Approver[]): boolean {
  const [these, those] = [one.map(approverText), other.map(approverText)];
  return these.length === those.length && these.every((text, n) => text === those[n]);
}
