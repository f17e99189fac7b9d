import { createHash } from 'node:crypto';
import { type EventData, makeEvent } from '@placet/events';
import { type Bus, type BusContext, newId } from './bus.ts';

export type RaiseAlarm = (alarm: EventData<'alarm.raised'>) => Promise<void>;

/** An alarm is an event, a metric and a line in the log. One cause (`kind` and `about`) makes one event. */
export function createAlarms(context: BusContext, bus: Bus): RaiseAlarm {
  return async (alarm) => {
    context.metrics.alarms.inc({ kind: alarm.kind });
    context.logger.error({ alarm: alarm.kind, about: alarm.about, details: alarm.details }, alarm.message);
    const event = makeEvent('alarm.raised', {
      service: context.service,
      id: newId(),
      now: new Date(),
      data: alarm,
    });
    await bus.note(event, causeId(alarm.kind, alarm.about)).catch((error: unknown) => {
      context.logger.error({ err: error }, 'an alarm could not be stored');
    });
  };
}

export function causeId(...parts: (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
