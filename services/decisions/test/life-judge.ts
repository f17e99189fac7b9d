import { approverText, type Demand, type EventOf, type PlacetEvent } from '@placet/events';
import { digestOf } from '@placet/proof';
import { verdictOn, type World } from './life-world.ts';

type Voted = EventOf<'approval.voted'>;
type Reassigned = EventOf<'approval.reassigned'>;

/** How it stands between two events, told plainly: by going through everything again. */
type Moment = {
  needed: EventOf<'approval.needed'> | null;
  demands: Demand[];
  isEdited: boolean;
  votes: Voted[];
  handed: Map<string, Reassigned>;
};

/** What is wrong with a history, by what the design says; nothing where it is right. */
export function wrongsIn({ events, rolesOf, blind }: World): string[] {
  const wrongs: string[] = [];
  const seen = new Set<string>();
  const [request] = events as [EventOf<'action.requested'>];
  events.forEach((event, n) => {
    const before = momentOf(events.slice(0, n));
    const previous = events[n - 1];
    if (previous?.type === 'action.decided') wrongs.push(`${event.type} after the decision`);
    if (previous?.type === 'approval.voted' && isEnded(momentOf(events.slice(0, n)))) {
      const isDenial = event.type === 'action.decided' && event.data.decision === 'denied';
      if (!isDenial) wrongs.push(`${event.type} after a rejection`);
    }
    if ('number' in event.data) {
      const key = `${event.type} ${event.data.number}`;
      if (seen.has(key)) wrongs.push(`a second ${key}`);
      seen.add(key);
    }
    const isLate =
      before.needed !== null && Date.parse(event.time) >= Date.parse(before.needed.data.deadline);
    // The policy's word may come late: nobody can do anything with it any more.
    const isOfTime = event.type === 'action.decided' || event.type === 'approval.needed';
    if (isLate && !isOfTime) wrongs.push(`${event.type} after the deadline`);
    switch (event.type) {
      case 'approval.voted':
        if (blind.has(event.data.request) && before.needed?.data.revision !== 1)
          wrongs.push('a blind vote on a change');
        wrongs.push(...wrongsOfPerson(event, before, rolesOf.get(event.data.request) ?? []));
        break;
      case 'approval.edited':
      case 'approval.reassigned':
        wrongs.push(...wrongsOfPerson(event, before, rolesOf.get(event.data.request) ?? []));
        break;
      case 'approval.reminded':
      case 'approval.escalated': {
        const step = before.needed?.data.steps?.[event.data.step];
        if (!step || Date.parse(step.at) > Date.parse(event.time)) wrongs.push('a step before its time');
        break;
      }
      case 'action.decided':
        if (event.data.decision === 'allowed' && before.needed && event.data.cause === 'policy')
          wrongs.push('allowed by the policy after people were asked');
        if (event.data.decision === 'allowed' && event.data.cause === 'votes')
          wrongs.push(...wrongsOfAllowing(event, before, request));
        break;
    }
  });
  return wrongs;
}

function momentOf(events: PlacetEvent[]): Moment {
  const from = events.findLastIndex(({ type }) => type === 'approval.needed');
  const needed = events[from];
  if (needed?.type !== 'approval.needed') {
    return { needed: null, demands: [], isEdited: false, votes: [], handed: new Map() };
  }
  const moment: Moment = {
    needed,
    demands: needed.data.demands,
    isEdited: false,
    votes: [],
    handed: new Map(),
  };
  for (const event of events.slice(from + 1)) {
    if (event.type === 'approval.edited') moment.isEdited = true;
    if (event.type === 'approval.voted') {
      moment.votes = [...moment.votes.filter(({ data }) => data.voter.id !== event.data.voter.id), event];
    }
    if (event.type === 'approval.reassigned') {
      const { by, place, approvers } = event.data;
      const isTakenBack = by.id === place && approvers.every((to) => approverText(to) === `user:${by.email}`);
      if (isTakenBack) moment.handed.delete(place);
      else moment.handed.set(place, event);
      moment.votes = moment.votes.flatMap((vote) => {
        const eligible_as = vote.data.eligible_as.map((as) =>
          (as?.in_place_of ?? vote.data.voter.id) === place ? null : as,
        );
        return eligible_as.some((as) => as) ? [{ ...vote, data: { ...vote.data, eligible_as } }] : [];
      });
    }
    if (event.type === 'approval.escalated') {
      const { demand, approvers, replace } = event.data;
      moment.demands = moment.demands.map((one, n) => {
        if (n !== demand) return one;
        if (replace)
          return { scope: one.scope, rule: one.rule, quorum: wantedBy(one), approvers, ...kept(one) };
        const texts = approvers.map(approverText);
        const ways = one.ways?.map((way) => way.map((place) => [...place, ...texts]));
        return { ...one, approvers: [...one.approvers, ...approvers], ...(ways ? { ways } : {}) };
      });
    }
  }
  return moment;
}

/** How many people at the least. */
const wantedBy = ({ quorum, ways = [[]] }: Demand) =>
  Math.max(quorum, Math.min(...ways.map((way) => way.length)));

const kept = ({ separate, reject }: Demand) => ({
  ...(separate ? { separate } : {}),
  ...(reject ? { reject } : {}),
});

function personIn(event: Voted | EventOf<'approval.edited'> | Reassigned) {
  if (event.type === 'approval.voted') return event.data.voter;
  return event.type === 'approval.edited' ? event.data.editor : event.data.by;
}

/** As whom somebody with these roles takes part of their own, by the words of the demand. */
function ownTexts(demand: Demand, id: string, has: readonly string[], { needed }: Moment): string[] {
  const owner = needed?.data.owner;
  const isEditor = needed?.data.edited_by?.some((one) => one.id === id);
  if (demand.separate && (`${id}@example.com` === owner || isEditor)) return [];
  return demand.approvers.map(approverText).filter((text) => has.some((role) => text === `role:${role}`));
}

function wrongsOfPerson(
  event: Voted | EventOf<'approval.edited'> | Reassigned,
  moment: Moment,
  has: readonly string[],
): string[] {
  const wrongs: string[] = [];
  const { id, email } = personIn(event);
  if (moment.isEdited) wrongs.push(`${event.type} while a change is being judged`);
  const counted = event.data.eligible_as.flatMap((as, n) => (as ? [{ as, n }] : []));
  if (counted.length === 0) wrongs.push(`${event.type} of ${id}, who takes part in nothing`);
  for (const { as, n } of counted) {
    const demand = moment.demands[n];
    if (!demand) continue;
    const isOthers = event.type === 'approval.reassigned' && event.data.place !== id;
    const place = isOthers ? event.data.place : as.in_place_of;
    if (place === undefined) {
      const own = ownTexts(demand, id, has, moment);
      const isHandedOn = moment.handed.has(id) && event.type !== 'approval.reassigned';
      if (isHandedOn) wrongs.push(`${id} has handed the place on`);
      if (as.as.some((text) => !own.includes(text)))
        wrongs.push(`${id} takes part as ${as.as.join()} without being it`);
      continue;
    }
    const handed = moment.handed.get(place);
    if (!demand.approvers.some((one) => as.as.includes(approverText(one)))) {
      wrongs.push(`${id} votes in a place that nobody asks for any more`);
    }
    const isTo = handed?.data.approvers.some((one) => one.kind === 'user' && one.email === email);
    if (!isTo) wrongs.push(`${id} votes in the place of ${place}, which was not handed to them`);
    const isKeptOut = demand.separate && email === moment.needed?.data.owner;
    if (isKeptOut) wrongs.push(`${id} is kept out, and votes in the place of ${place}`);
  }
  return wrongs;
}

/** What was said last in each place of a demand. */
function lastWords(votes: Voted[], n: number) {
  const words = new Map<string, { vote: string; texts: string[] }>();
  for (const { data } of votes) {
    const as = data.eligible_as[n];
    if (as) words.set(as.in_place_of ?? data.voter.id, { vote: data.vote, texts: as.as });
  }
  return [...words.values()];
}

/** Whether the votes that stand end it by rejection. */
function isEnded({ demands, votes }: Moment): boolean {
  return demands.some((demand, n) => {
    const places = lastWords(votes, n).filter(({ vote }) => vote === 'reject');
    const wanted = wantedBy(demand);
    return demand.reject === 'majority' ? places.length * 2 > wanted : places.length > 0;
  });
}

function wrongsOfAllowing(
  { data }: EventOf<'action.decided'>,
  moment: Moment,
  request: EventOf<'action.requested'>,
): string[] {
  const wrongs: string[] = [];
  const { needed, demands, votes, isEdited } = moment;
  if (!needed || isEdited) return ['allowed while the policy has not judged it'];
  if (data.payload_digest !== needed.data.payload_digest) wrongs.push('allowed is another payload');
  if (digestOf(needed.data.payload) !== data.payload_digest) wrongs.push('what is shown is another payload');
  if (isEnded(moment)) wrongs.push('allowed after a rejection');
  const verdict = verdictOn(request, needed.data.payload);
  if (verdict.decide === 'deny') wrongs.push('allowed is what the policy denies');
  if (verdict.decide === 'require_approval') {
    for (const { rule, quorum } of verdict.demands) {
      const isAsked = needed.data.demands.some((one) => one.rule === rule && one.quorum >= quorum);
      if (!isAsked) wrongs.push(`allowed without those whom ${rule} asks`);
    }
  }
  demands.forEach((demand, n) => {
    const byPlace = lastWords(votes, n).filter(({ vote }) => vote === 'approve');
    if (byPlace.length < demand.quorum) wrongs.push(`allowed by ${byPlace.length} of ${demand.quorum}`);
    const isFilled = (demand.ways ?? [[]]).some((way) =>
      canFill(
        way,
        byPlace.map(({ texts }) => texts),
      ),
    );
    if (!isFilled) wrongs.push('allowed without the ones that are wanted');
  });
  return wrongs;
}

/** By trying everybody in every place. */
function canFill([place, ...rest]: string[][], people: string[][]): boolean {
  if (!place) return true;
  return people.some(
    (texts, n) =>
      texts.some((text) => place.includes(text)) &&
      canFill(
        rest,
        people.filter((_, m) => m !== n),
      ),
  );
}
