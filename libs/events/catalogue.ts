import type * as z from 'zod';
import * as actions from './action-events.ts';
import * as approvals from './approval-events.ts';
import type { Service } from './names.ts';
import * as system from './system-events.ts';

/**
 * Where an event lives. `act` bears on the decision and moves the action's version; `note` is a fact beside it;
 * `sys` belongs to no action.
 */
export type Root = 'act' | 'note' | 'sys';

/** What follows the type in a subject: nothing (once an action), a running number, or an id. */
export type Suffix = 'none' | 'number' | 'id';

export type CatalogueEntry = {
  root: Root;
  suffix: Suffix;
  emitters: readonly Service[];
  about: string;
  data: z.ZodType;
};

/** Every event of Placet. Subjects, permissions, JSON Schema and documents come out of this table. */
export const catalogue = {
  'action.requested': {
    root: 'act',
    suffix: 'none',
    emitters: ['gateway'],
    about: 'An agent asks whether it may act.',
    data: actions.ActionRequested,
  },
  'approval.needed': {
    root: 'act',
    suffix: 'number',
    emitters: ['policy'],
    about: 'The policy holds the action for people; the number is the revision of the payload.',
    data: approvals.ApprovalNeeded,
  },
  'approval.voted': {
    root: 'act',
    suffix: 'number',
    emitters: ['decisions'],
    about: 'A person voted; eligibility was judged at that moment.',
    data: approvals.ApprovalVoted,
  },
  'approval.edited': {
    root: 'act',
    suffix: 'number',
    emitters: ['decisions'],
    about: 'A person changed the payload; earlier votes are void.',
    data: approvals.ApprovalEdited,
  },
  'approval.escalated': {
    root: 'act',
    suffix: 'number',
    emitters: ['decisions'],
    about: 'Nobody answered in time; others are asked.',
    data: approvals.ApprovalEscalated,
  },
  'approval.reminded': {
    root: 'act',
    suffix: 'number',
    emitters: ['decisions'],
    about: 'A share of the time has passed.',
    data: approvals.ApprovalReminded,
  },
  'approval.reassigned': {
    root: 'act',
    suffix: 'number',
    emitters: ['decisions'],
    about: 'An approver handed the approval to others.',
    data: approvals.ApprovalReassigned,
  },
  'action.decided': {
    root: 'act',
    suffix: 'none',
    emitters: ['policy', 'decisions'],
    about: 'The one decision of the action, with its proof.',
    data: actions.ActionDecided,
  },
  'grant.revoked': {
    root: 'act',
    suffix: 'none',
    emitters: ['decisions'],
    about: 'A standing grant ends; no decision under it can be stored any more.',
    data: actions.GrantRevoked,
  },
  'approval.commented': {
    root: 'note',
    suffix: 'id',
    emitters: ['decisions'],
    about: 'A person commented.',
    data: approvals.ApprovalCommented,
  },
  'approval.seen': {
    root: 'note',
    suffix: 'id',
    emitters: ['decisions'],
    about: 'A person opened the approval.',
    data: approvals.ApprovalSeen,
  },
  'approval.closed': {
    root: 'note',
    suffix: 'id',
    emitters: ['decisions'],
    about: 'An action that was held is decided; channels bring their cards up to date.',
    data: approvals.ApprovalClosed,
  },
  'notification.sent': {
    root: 'note',
    suffix: 'id',
    emitters: ['notifier'],
    about: 'A channel delivered.',
    data: approvals.NotificationSent,
  },
  'notification.failed': {
    root: 'note',
    suffix: 'id',
    emitters: ['notifier'],
    about: 'A channel gave up on a delivery.',
    data: approvals.NotificationFailed,
  },
  'action.executed': {
    root: 'note',
    suffix: 'id',
    emitters: ['gateway'],
    about: 'The agent reports that it ran the action; the permission is used up.',
    data: actions.ActionExecuted,
  },
  'action.logged': {
    root: 'note',
    suffix: 'id',
    emitters: ['gateway'],
    about: 'An agent records something it did without asking.',
    data: actions.ActionLogged,
  },
  'grant.consumed': {
    root: 'note',
    suffix: 'id',
    emitters: ['gateway'],
    about: 'A standing grant was used.',
    data: actions.GrantConsumed,
  },
  'alarm.raised': {
    root: 'sys',
    suffix: 'id',
    emitters: ['gateway', 'policy', 'decisions', 'notifier', 'audit'],
    about: 'Something happened that must not happen.',
    data: system.AlarmRaised,
  },
  'message.dead': {
    root: 'sys',
    suffix: 'id',
    emitters: ['gateway', 'policy', 'decisions', 'notifier', 'audit'],
    about: 'A handler gave up on a message.',
    data: system.MessageDead,
  },
} as const satisfies Record<string, CatalogueEntry>;

export type EventType = keyof typeof catalogue;
export const eventTypes = Object.keys(catalogue) as EventType[];
export type EventData<T extends EventType> = z.infer<(typeof catalogue)[T]['data']>;
export type TypesUnder<R extends Root> = {
  [T in EventType]: (typeof catalogue)[T]['root'] extends R ? T : never;
}[EventType];

export function entryOf(type: EventType): CatalogueEntry {
  return catalogue[type];
}

export function isEventType(text: string): text is EventType {
  return Object.hasOwn(catalogue, text);
}

/** Who holds no seal key. What they write bears on nothing. */
const unsealedServices: readonly Service[] = ['notifier', 'audit'];

export function holdsSeal(service: Service): boolean {
  return !unsealedServices.includes(service);
}

/** Whether an event of this type may come without a seal from whoever its source says. */
export function emitsUnsealed(type: EventType, source: string): boolean {
  return unsealedServices.some(
    (service) => source === `placet/${service}` && entryOf(type).emitters.includes(service),
  );
}
