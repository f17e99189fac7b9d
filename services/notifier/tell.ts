import { type EventOf, makeEvent } from '@placet/events';
import { type Bus, causeId, newId } from '@placet/runtime';

/** What a channel did about an approval, as everybody is told it. */
export type Notification = {
  action_id: string;
  agent: string;
  target: string;
  about: string;
  about_type: string;
  attempts: number;
  case?: string | undefined;
  /** Where several are told at one target, which of them. */
  place?: string | undefined;
};

export type Tell = {
  sent(one: Notification): Promise<void>;
  failed(one: Notification & { error: string }): Promise<void>;
};

/** Telling twice is once: of one place and one cause there is one event. */
export function createTell(bus: Bus, channel: string): Tell {
  const common = () => ({ service: 'notifier', id: newId(), now: new Date() }) as const;
  const store = async (
    event: EventOf<'notification.sent'> | EventOf<'notification.failed'>,
    { target, about, place = target }: Notification,
  ) => {
    await bus.note(event, causeId(channel, place, about));
  };
  return {
    async sent({ case: ofCase, place, ...one }) {
      const data = { ...one, channel, ...(ofCase === undefined ? {} : { case: ofCase }) };
      await store(makeEvent('notification.sent', { ...common(), data }), { ...one, place });
    },
    async failed({ case: ofCase, place, ...one }) {
      const data = { ...one, channel, ...(ofCase === undefined ? {} : { case: ofCase }) };
      await store(makeEvent('notification.failed', { ...common(), data }), { ...one, place });
    },
  };
}
