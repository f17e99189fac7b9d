import { audienceOf, dueOf, type PlacetEvent } from '@placet/events';

/** Stands for everybody in an audience; no approver is written like that. */
export const anybody = '*';

/**
 * How much clocks may differ. What comes later in the stream than a request of that much later was requested later, so
 * that a time is a place in the stream, and what lies behind it need not be looked at.
 */
export const clocksDifferMaxMs = 60_000;

/** Whom an action asks, and when the clock has to look at it. */
type Asked = { audience: string[]; due: Date };

/** What an event says of that; null where it says nothing. */
export function askedBy(event: PlacetEvent): Asked | null {
  switch (event.type) {
    case 'approval.needed':
      return asked(audienceOf(event.data.demands), dueOf({ needed: event, steps: 0 }));
    case 'approval.edited':
    case 'approval.reminded':
    case 'approval.escalated':
    case 'approval.reassigned':
      return asked(event.data.audience, event.data.due);
    default:
      return null;
  }
}

function asked(audience: string[], due: string): Asked {
  return { audience: [...new Set([anybody, ...audience])], due: new Date(due) };
}
