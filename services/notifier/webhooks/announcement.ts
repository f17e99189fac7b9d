import { type EventOf, type PlacetEvent, type WebhookEvent, webhookEvents } from '@placet/events';
import type { Jwks } from '@placet/proof';
import { proofProblem } from '@placet/runtime';

/** What other systems can be told. */
export type Announcement = EventOf<WebhookEvent>;

export function isAnnouncement(event: PlacetEvent): event is Announcement {
  return (webhookEvents as readonly string[]).includes(event.type);
}

/** This service holds no seal key. How an action ended it believes only of who decides, by the proof. */
export function problemOf(announcement: Announcement, trusted: Jwks): string | null {
  switch (announcement.type) {
    case 'approval.closed':
    case 'action.decided':
      return proofProblem(announcement, trusted);
    default:
      return null;
  }
}
