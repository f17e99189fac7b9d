import { JetStreamApiError } from '@nats-io/jetstream';

/** Whether a write was refused because somebody else wrote there since it was read, or at the same moment. */
export function isLostRace(error: unknown): boolean {
  return error instanceof JetStreamApiError && (error.code === 10071 || error.code === 10164);
}
