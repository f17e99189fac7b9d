import {
  askedAs,
  type Demand,
  type EligibleAs,
  isAsked,
  isConcerned,
  type Standing,
  stillAsked,
  type VoteQuestion,
} from '@placet/events';

export type Person = VoteQuestion['voter'];

/** For each demand as whom a person may take part in it now: in their own place, or in one that was handed to them. */
export function eligibilityOf(standing: Standing, person: Person): EligibleAs {
  const hasHandedOn = standing.handed.has(person.id);
  return standing.demands.map((demand, position) => {
    if (isKeptOut(demand, standing, person)) return null;
    const own = hasHandedOn ? [] : askedAs(demand, person);
    return own.length > 0 ? { as: own } : handedTo(standing, person, position);
  });
}

/** The same in a place of one's own, whether or not it was handed to others: whose it is can take it back. */
export function ownEligibilityOf(standing: Standing, person: Person): EligibleAs {
  return standing.demands.map((demand) => {
    const own = isKeptOut(demand, standing, person) ? [] : askedAs(demand, person);
    return own.length > 0 ? { as: own } : null;
  });
}

export function isEligible(eligible: EligibleAs): boolean {
  return eligible.some((as) => as !== null);
}

/** Whose action it is, in whose name it is asked for, and whose payload it has become. */
function isKeptOut(demand: Demand, { needed }: Standing, person: Person): boolean {
  const { edited_by = [] } = needed.data;
  const hasEdited = demand.separate === true && edited_by.some(({ id }) => id === person.id);
  return hasEdited || isConcerned(demand, needed.data, person);
}

function handedTo({ handed, demands }: Standing, person: Person, position: number): EligibleAs[number] {
  for (const [place, { data }] of handed) {
    // Whose place it is takes it back before voting: in it they would be judged by what they were.
    const then = place === person.id ? undefined : data.eligible_as[position]?.as;
    const demand = demands[position];
    const as = demand ? stillAsked(demand, then) : [];
    if (as.length > 0 && data.approvers.some((approver) => isAsked(approver, person)))
      return { as, in_place_of: place };
  }
  return null;
}
