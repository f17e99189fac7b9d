import { type EventOf, subjectFor } from '@placet/events';
import type { Jwks } from '@placet/proof';
import { type BusContext, readNote } from '@placet/runtime';
import { type Announcement, isAnnouncement, problemOf } from './announcement.ts';
import type { DeliveryEntry } from './deliveries.ts';
import type { Endpoint, RequestOf } from './endpoint.ts';
import type { WebhookOutcome } from './outcome.ts';
import type { WebhookSender } from './send.ts';

export type AttemptParts = { context: BusContext; trusted: Jwks; sender: WebhookSender };

/** Signs and sends what is owed, once. The event is read from the stream, which is the truth about it. */
export async function attempt(
  { context, trusted, sender }: AttemptParts,
  entry: DeliveryEntry,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<{ sent: WebhookOutcome; deadline: number }> {
  const announcement = await readAnnouncement(context, entry, trusted);
  const deadline = deadlineOf(announcement);
  const end = (sent: WebhookOutcome) => ({ sent, deadline });
  if (!announcement) return end({ outcome: 'refused', reason: 'The stream no longer holds the event.' });
  const now = new Date();
  const address = await endpoint.addressFor(requestReader(context, entry), now);
  if (!address.ok) {
    return end({ outcome: address.isFinal ? 'refused' : 'retry', reason: address.reason });
  }
  const body = JSON.stringify(announcement);
  try {
    return end(await sender.send({ ...address, id: announcement.id, body, now, signal }));
  } catch (error) {
    // What cannot even be signed will not be so another time.
    if (error instanceof TypeError) return end({ outcome: 'refused', reason: error.message });
    throw error;
  }
}

/** Reads the request once, however many ask. */
export function requestReader(
  context: BusContext,
  { agent, action_id }: { agent: string; action_id: string },
): RequestOf {
  let read: Promise<EventOf<'action.requested'> | null> | undefined;
  return () => {
    read ??= readNote(context, subjectFor('action.requested', { agent, action_id })).then((event) =>
      event?.type === 'action.requested' ? event : null,
    );
    return read;
  };
}

async function readAnnouncement(
  context: BusContext,
  { subject, event: id }: DeliveryEntry,
  trusted: Jwks,
): Promise<Announcement | null> {
  const event = await readNote(context, subject);
  if (event?.id !== id || !isAnnouncement(event)) return null;
  return problemOf(event, trusted) === null ? event : null;
}

/** Nobody needs to be told of an approval whose time has passed. */
function deadlineOf(announcement: Announcement | null): number {
  return announcement?.type === 'approval.needed'
    ? Date.parse(announcement.data.deadline)
    : Number.POSITIVE_INFINITY;
}
