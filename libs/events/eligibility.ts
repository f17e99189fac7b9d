import type { EligibleAs } from './approval-events.ts';
import { askedAs, type Demand, isAsked, isConcerned } from './approvers.ts';
import { type Standing, stillAsked } from './standing.ts';

type Person = { id: string; email: string; roles: string[] };

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

/** Why somebody may not take part who might think so; null where there is nothing to say to them. */
export function whyNot(standing: Standing, person: Person): string | null {
  const asked = standing.demands.filter((demand) => askedAs(demand, person).length > 0);
  if (asked.length > 0) {
    if (hasEdited(standing, person))
      return 'You have changed the payload: somebody else has to decide on it.';
    if (asked.every((demand) => isConcerned(demand, standing.needed.data, person)))
      return 'It is about what is yours: you own the agent, or it asks in your name.';
    if (standing.handed.has(person.id))
      return 'You have handed your place on. Hand it to yourself to take it back.';
  }
  const before = standing.needed.data.demands.some((demand) => askedAs(demand, person).length > 0);
  return before ? 'Others are asked by now, instead of you.' : null;
}

/** Whose action it is, in whose name it is asked for, and whose payload it has become. */
function isKeptOut(demand: Demand, standing: Standing, person: Person): boolean {
  const isEditor = demand.separate === true && hasEdited(standing, person);
  return isEditor || isConcerned(demand, standing.needed.data, person);
}

function hasEdited({ needed }: Standing, { id }: Person): boolean {
  return needed.data.edited_by?.some((editor) => editor.id === id) ?? false;
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
