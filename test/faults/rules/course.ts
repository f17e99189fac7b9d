import type { EventOf, EventType, PlacetEvent } from '@placet/events';
import type { People, Standing } from './standing.ts';
import * as standing from './standing.ts';

export type At<T extends EventType = EventType> = { seq: number; event: EventOf<T> };

/** An event of an approval, and how the approval stood before and after it; null before people were asked. */
export type Moment<T extends EventType = EventType> = {
  at: At<T>;
  before: Standing | null;
  after: Standing | null;
};

/** What an approval went through, from its history in the order of the stream. */
export function courseOf(history: readonly At[], people: People): Moment[] {
  let now: Standing | null = null;
  const request = history.find(isAt('action.requested'));
  return history
    .filter((at) => at !== request)
    .map((at) => {
      const before: Standing | null = now;
      now = before ? proceeded(before, at.event, people) : begun(at.event, request?.event);
      return { at, before, after: now };
    });
}

function begun(event: PlacetEvent, request: EventOf<'action.requested'> | undefined): Standing | null {
  return event.type === 'approval.needed' && request ? standing.openedBy(request, event) : null;
}

function proceeded(before: Standing, event: PlacetEvent, people: People): Standing {
  switch (event.type) {
    case 'approval.needed':
      return standing.askedAgain(before, event);
    case 'approval.edited':
      return standing.edited(before, event);
    case 'approval.voted':
      return standing.voted(before, event, people);
    case 'approval.reassigned':
      return standing.reassigned(before, event, people);
    case 'approval.escalated':
      return standing.escalated(before, event);
    case 'approval.reminded':
      return standing.stepped(before);
    default:
      return before;
  }
}

function isAt<T extends EventType>(type: T) {
  return (at: At): at is At<T> => at.event.type === type;
}

/** The moments of one type of event, with how the approval stood before it. */
export function momentsOf<T extends EventType>(course: readonly Moment[], type: T): Moment<T>[] {
  return course.filter((moment): moment is Moment<T> => moment.at.event.type === type);
}

/**
 * Each standing that may have been the one of now for a question between its sending and its answer. An event is
 * stored after its time, and before the time of the event after it, whose author had seen it: all is by one clock.
 */
export function standingsDuring(course: readonly Moment[], { sentAt, toldAt }: Asked): Standing[] {
  return course.flatMap(({ at, after }, i) => {
    const next = course[i + 2];
    const isPast = next !== undefined && Date.parse(next.at.event.time) < sentAt;
    return after && !isPast && Date.parse(at.event.time) <= toldAt ? [after] : [];
  });
}
type Asked = { sentAt: number; toldAt: number };

/** How it stood when it was decided, or as far as it went. */
export function endOf(course: readonly Moment[]): Standing | null {
  const decided = course.find(({ at }) => at.event.type === 'action.decided');
  return decided ? decided.before : (course.at(-1)?.after ?? null);
}
