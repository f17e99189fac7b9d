import { type EventOf, liveSubject, storedSubject, typeFilter } from '@placet/events';
import { type BusContext, sealHeader } from './bus.ts';
import { readStored } from './history.ts';
import type { Resources } from './lifecycle.ts';

export type LiveEvent = EventOf<'action.decided'> | EventOf<'approval.needed'>;
export type LiveHandlers = {
  onEvent: (event: LiveEvent) => void;
  onForged: (subject: string) => void;
  /** What was published while the connection was away is in the stream alone. */
  onReconnect: () => void;
};

/** Answers as they are stored: at most once, so whoever waits reads the stream as well. */
export function followLive(context: BusContext, resources: Resources, handlers: LiveHandlers): void {
  for (const type of ['action.decided', 'approval.needed'] as const) {
    const subscription = context.nc.subscribe(liveSubject(typeFilter(type)), {
      callback: (error, message) => {
        if (error) return;
        const subject = storedSubject(message.subject);
        const event = readStored(context, subject, message.data, message.headers?.get(sealHeader));
        if (event) handlers.onEvent(event as LiveEvent);
        else handlers.onForged(subject);
      },
    });
    resources.add(`live ${type}`, () => subscription.unsubscribe());
  }
  void (async () => {
    for await (const status of context.nc.status()) if (status.type === 'reconnect') handlers.onReconnect();
  })();
}
