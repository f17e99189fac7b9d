import { createHash } from 'node:crypto';
import { type EventData, type EventOf, makeEvent, subjectFor } from '@placet/events';
import { type Bus, newId } from './bus.ts';
import type { BusContext } from './context.ts';
import { readNote } from './history.ts';
import type { Resources } from './lifecycle.ts';

export type RaiseAlarm = (alarm: EventData<'alarm.raised'>) => Promise<void>;

const againEveryMs = 2000;
/** Beyond this many, an alarm that cannot be stored is in the log and the metric alone. */
const unstoredMax = 1000;

/**
 * An alarm is an event, a metric and a line in the log. One cause (`kind` and `about`) makes one event. Whoever raises
 * one goes on, whether or not the broker takes it now: it is stored when it can be.
 */
export function createAlarms(context: BusContext, bus: Bus, resources: Resources): RaiseAlarm {
  const unstored = new Set<EventOf<'alarm.raised'>>();
  let timer: NodeJS.Timeout | undefined;
  resources.add('alarms', () => clearTimeout(timer));

  return async (alarm) => {
    context.metrics.alarms.inc({ kind: alarm.kind });
    context.logger.error({ alarm: alarm.kind, about: alarm.about, details: alarm.details }, alarm.message);
    const event = makeEvent('alarm.raised', {
      service: context.service,
      id: newId(),
      now: new Date(),
      data: alarm,
    });
    await store(event).catch((error: unknown) => {
      context.logger.error({ err: error }, 'an alarm could not be stored; trying again');
      if (unstored.size < unstoredMax) unstored.add(event);
      again();
    });
  };

  function again(): void {
    timer ??= setTimeout(async () => {
      await storeAll().catch((error: unknown) =>
        context.logger.warn({ err: error, alarms: unstored.size }, 'alarms still cannot be stored'),
      );
      timer = undefined;
      if (unstored.size > 0) again();
    }, againEveryMs).unref();
  }

  async function storeAll(): Promise<void> {
    for (const event of unstored) {
      await store(event);
      unstored.delete(event);
    }
  }

  async function store(event: EventOf<'alarm.raised'>): Promise<void> {
    const { kind, about } = event.data;
    const id = causeId(kind, about);
    const stored = await bus.note(event, id);
    if (stored.status === 'stored') return;
    const there = await readNote(context, subjectFor('alarm.raised', event.data, id));
    const isSame = there?.type === 'alarm.raised' && there.data.kind === kind && there.data.about === about;
    // Somebody took its place beforehand, to keep it quiet.
    if (!isSame) await bus.note(event, newId());
  }
}

export function causeId(...parts: (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
