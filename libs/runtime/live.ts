import { type EventOf, liveSubject, parseEvent, storedSubject, typeFilter } from '@placet/events';
import { type BusContext, sealHeader, sealHolds } from './context.ts';
import { firstField, headerText } from './headers.ts';
import type { Resources } from './lifecycle.ts';
import { onReconnect } from './read-stream.ts';

export type LiveEvent = EventOf<'action.decided'> | EventOf<'approval.needed'>;
export type LiveHandlers = {
  /** Whether anybody here waits for this action. What was decided for a caller of another instance is not read. */
  isAwaited: (actionId: string) => boolean;
  onEvent: (event: LiveEvent) => void;
  /** Something about an awaited approval has changed that is neither. */
  onProgress: (actionId: string) => void;
  /** Others are asked than before. */
  onAsking: (action: { agent: string; actionId: string }) => void;
  onForged: (subject: string) => void;
  /** What was published while the connection was away is in the stream alone. */
  onReconnect: () => void;
};

const decoder = new TextDecoder();
const actionOf = (subject: string) => subject.split('.')[3] ?? '';
const agentOf = (subject: string) => subject.split('.')[2] ?? '';
const asking: readonly string[] = ['approval.escalated', 'approval.reassigned'];

/** Answers as they are stored: at most once, so whoever waits reads the stream as well. */
export function followLive(context: BusContext, resources: Resources, handlers: LiveHandlers): void {
  for (const type of ['action.decided', 'approval.needed'] as const) {
    const subscription = context.nc.subscribe(liveSubject(typeFilter(type)), {
      callback: (error, message) => {
        if (error) return;
        const subject = storedSubject(message.subject);
        const seal = firstField(headerText(message), sealHeader);
        if (!sealHolds(context, subject, message.data, seal)) return handlers.onForged(subject);
        if (type === 'action.decided' && !handlers.isAwaited(actionOf(subject))) return;
        const parsed = parseEvent(subject, decoder.decode(message.data));
        if (parsed.ok) handlers.onEvent(parsed.event as LiveEvent);
        else handlers.onForged(subject);
      },
    });
    resources.add(`live ${type}`, () => subscription.unsubscribe());
  }
  for (const type of [
    'approval.voted',
    'approval.edited',
    'approval.escalated',
    'approval.reassigned',
  ] as const) {
    const subscription = context.nc.subscribe(liveSubject(typeFilter(type)), {
      callback: (error, message) => {
        // It only says that the stream is worth a look, so nothing of it is believed.
        if (error !== null) return;
        const [agent, actionId] = [agentOf(message.subject), actionOf(message.subject)];
        if (handlers.isAwaited(actionId)) handlers.onProgress(actionId);
        if (asking.includes(type)) handlers.onAsking({ agent, actionId });
      },
    });
    resources.add(`live ${type}`, () => subscription.unsubscribe());
  }
  onReconnect(context, handlers.onReconnect);
}
