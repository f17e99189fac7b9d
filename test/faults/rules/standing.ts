import type { EventOf } from '@placet/events';
import { askingFor, type Demand, type KnownPerson, type Payload, verdictOn } from '../world.ts';
import { changedBy, digestOfPayload } from './payloads.ts';

/** A place that was handed to others, and for which of the demands it was one. */
type Hand = { to: readonly string[]; covers: readonly boolean[] };
/** A vote, and whose place it takes in each demand: the voter's own, or one that was handed to the voter. */
type Ballot = { vote: 'approve' | 'reject'; places: readonly (string | null)[] };

/**
 * How an approval stands at one place of the stream: by the events before it and by what the world says, and not by
 * the code that is being judged. People are known by their email.
 */
export type Standing = {
  actionName: string;
  owner: string;
  revision: number;
  /** As it is after the last change. */
  payload: Payload;
  /** As it was when people were last asked. */
  shown: Payload;
  /** False from a change until people are asked about it. */
  isJudged: boolean;
  editors: readonly string[];
  /** Whom it asked when people were last asked, and whom it asks now. */
  asked: readonly Demand[];
  demands: readonly Demand[];
  /** How many reminders and escalations there were since. */
  steps: number;
  /** When people were asked first. */
  since: number;
  handed: ReadonlyMap<string, Hand>;
  ballots: ReadonlyMap<string, Ballot>;
};

export type People = readonly KnownPerson[];
const emailById = (people: People, id: string) => people.find((one) => one.id === id)?.email ?? id;

export const digestNow = ({ payload }: Standing) => digestOfPayload(payload);

/** People are asked for the first time. */
export function openedBy({ data }: EventOf<'action.requested'>, { time }: { time: string }): Standing {
  const payload = data.payload as Payload;
  const { action_name: actionName, owner } = data;
  const demands = demandsOn(actionName, payload, []);
  return {
    ...{ actionName, owner, revision: 1, payload, shown: payload, isJudged: true, editors: [] },
    ...{ asked: demands, demands, steps: 0, since: Date.parse(time), handed: new Map(), ballots: new Map() },
  };
}

/** Where the policy alone would allow it, those who were asked before are asked. */
function demandsOn(actionName: string, payload: Payload, before: readonly Demand[]): readonly Demand[] {
  const verdict = verdictOn(actionName, payload);
  return verdict.by === 'people' ? verdict.demands : before;
}

/** People are asked about what it was changed to: nobody has voted on that, nor handed it on. */
export function askedAgain(standing: Standing, { time }: { time: string }): Standing {
  const { actionName, payload } = standing;
  const isHeld = verdictOn(actionName, payload).by === 'people';
  // Whoever was asked beside or instead by then is asked from the beginning.
  const past = askingFor(actionName).escalate.filter(
    ({ afterMs }) => standing.since + afterMs <= Date.parse(time),
  );
  const wanted = demandsOn(actionName, payload, standing.demands);
  const demands = isHeld ? past.reduce(asking, wanted) : wanted;
  const anew = { asked: demands, demands, steps: 0, handed: new Map(), ballots: new Map() };
  return { ...standing, ...anew, shown: payload, isJudged: true };
}

export function edited(standing: Standing, { data }: EventOf<'approval.edited'>): Standing {
  const changes = Object.fromEntries(data.changes.map(({ path, to }) => [path, to]));
  return {
    ...standing,
    revision: standing.revision + 1,
    payload: changedBy(standing.payload, changes),
    isJudged: false,
    editors: [...standing.editors, data.editor.email],
  };
}

export function stepped(standing: Standing): Standing {
  return { ...standing, steps: standing.steps + 1 };
}

export function escalated(standing: Standing, { data }: EventOf<'approval.escalated'>): Standing {
  const step = askingFor(standing.actionName).escalate.find(({ role }) => isTo(data, role));
  return step ? { ...stepped(standing), demands: asking(standing.demands, step) } : stepped(standing);
}

/** Others beside those who were asked first, or instead of them. */
function asking(demands: readonly Demand[], { role, replace }: Escalation): readonly Demand[] {
  const [first, ...others] = demands;
  if (!first) return demands;
  return [{ ...first, roles: replace ? [role] : [...first.roles, role] }, ...others];
}
type Escalation = { role: string; replace: boolean };

export function isTo({ approvers }: EventOf<'approval.escalated'>['data'], wanted: string): boolean {
  const [one] = approvers;
  return approvers.length === 1 && one?.kind === 'role' && one.role === wanted;
}

export function voted(standing: Standing, { data }: EventOf<'approval.voted'>, people: People): Standing {
  const voter = people.find(({ email }) => email === data.voter.email);
  // A vote on another payload is void, and a place that is not the voter's is not taken.
  if (!voter || data.payload_digest !== digestNow(standing)) return standing;
  const places = claimsOf(data, people).map((place, position) =>
    place !== null && placesOf(standing, position, voter, people).includes(place) ? place : null,
  );
  const ballots = new Map([...standing.ballots, [voter.email, { vote: data.vote, places }]]);
  return { ...standing, ballots };
}

/** Whose places a vote says that it takes. */
export function claimsOf({ voter, eligible_as }: Claiming, people: People): (string | null)[] {
  return eligible_as.map((as) => as && emailById(people, as.in_place_of ?? voter.id));
}
type Claiming = Pick<EventOf<'approval.voted'>['data'], 'voter' | 'eligible_as'>;

/** Whoever hands a place on takes back what was voted in it. */
export function reassigned(
  standing: Standing,
  { data }: EventOf<'approval.reassigned'>,
  people: People,
): Standing {
  const place = emailById(people, data.place);
  const giver = people.find(({ email }) => email === data.by.email);
  const covers = standing.demands.map(
    (_, position) => giver !== undefined && handable(standing, position, giver, people).includes(place),
  );
  const to = data.approvers.flatMap((one) => (one.kind === 'user' ? [one.email] : []));
  const ballots = [...standing.ballots].map(([email, ballot]): [string, Ballot] => {
    return [email, { ...ballot, places: ballot.places.map((one) => (one === place ? null : one)) }];
  });
  return {
    ...standing,
    handed: new Map([...standing.handed, [place, { to, covers }]]),
    ballots: new Map(ballots),
  };
}

/**
 * The places of a demand that somebody could vote in: their own, or else those that were handed to them. A place is
 * one as long as whose it is would be asked.
 */
export function placesOf(
  standing: Standing,
  position: number,
  person: KnownPerson,
  people: People,
): string[] {
  const demand = standing.demands[position];
  if (!demand || isKeptOut(standing, demand, person)) return [];
  if (isAsked(demand, person) && !standing.handed.has(person.email)) return [person.email];
  const isPlace = (email: string) => people.some((one) => one.email === email && isAsked(demand, one));
  return [...standing.handed].flatMap(([place, { to, covers }]) =>
    covers[position] && to.includes(person.email) && isPlace(place) ? [place] : [],
  );
}

/** The places of a demand that somebody could hand on: whose it is can take it back. */
export function handable(
  standing: Standing,
  position: number,
  person: KnownPerson,
  people: People,
): string[] {
  const demand = standing.demands[position];
  const isOwn = demand && isAsked(demand, person) && !isKeptOut(standing, demand, person);
  return isOwn ? [person.email] : placesOf(standing, position, person, people);
}

export type May = (standing: Standing, person: KnownPerson, people: People) => boolean;
export const mayVote: May = (standing, person, people) =>
  standing.demands.some((_, position) => placesOf(standing, position, person, people).length > 0);
export const mayHandOn: May = (standing, person, people) =>
  standing.demands.some((_, position) => handable(standing, position, person, people).length > 0);

const isAsked = (demand: Demand, { roles }: KnownPerson) => demand.roles.some((role) => roles.includes(role));

/** Whose agent it is, and who has changed what it asks for. */
function isKeptOut({ owner, editors }: Standing, { separate }: Demand, { email }: KnownPerson): boolean {
  return separate && (email === owner || editors.includes(email));
}
