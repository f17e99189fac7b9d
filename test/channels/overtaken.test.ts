import { consumers, services } from '@placet/events';
import type { CardChannel, Found } from '@placet/notifier-service/card-channel.ts';
import { createCards } from '@placet/notifier-service/cards.ts';
import type { CardsEntry, Ledger } from '@placet/notifier-service/ledger.ts';
import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, messagesIn, policy, rawBroker } from '../support.ts';
import { notifierOf } from './notifier-support.ts';

releaseAfterEach();

/** Keeps what it is told to send. */
function keepingChannel() {
  const sent: string[] = [];
  const channel: CardChannel = {
    kind: 'slack',
    placeOf: () => null,
    find: async () => ({ outcome: 'looked', handle: null }),
    async send(target) {
      sent.push(target);
      return { outcome: 'delivered', handle: target };
    },
    update: async (handle) => ({ outcome: 'delivered', handle }),
    check: async () => ({ ok: true }),
    close() {},
  };
  return { channel, sent };
}

test('who has read for long that it waits does not send what has ended meanwhile', async () => {
  const others = services.filter((service) => service !== consumers.notifierSlack.service);
  const placet = await startTestPlacet({ policy, services: others });
  const raw = await rawBroker(placet.placet);
  const parts = await notifierOf(placet);
  const { channel, sent } = keepingChannel();
  const told = async (type: string) => {
    const all = await messagesIn(raw);
    const found = all.find(({ event }) => event?.type === type);
    if (!found) throw new Error(`there is no ${type}`);
    return { event: found.event, subject: found.subject, seq: found.seq, deliveries: 1 };
  };

  const id = await held(placet);
  const looks = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const slowly: Ledger<CardsEntry> = {
    ...parts.ledger,
    async get(key) {
      looks.resolve();
      await goesOn.promise;
      return parts.ledger.get(key);
    },
  };
  const slow = createCards({ ...parts, ledger: slowly, channel }).handle(
    await eventually(() => told('approval.needed')),
  );
  await looks.promise;
  await placet.admin.vote(id, { vote: 'approve' });
  const closed = await eventually(() => told('approval.closed'));
  expect(await createCards({ ...parts, channel }).handle(closed)).toEqual({ outcome: 'done' });
  goesOn.resolve();

  expect(await slow).toMatchObject({ outcome: 'retry', reason: 'somebody has seen more' });
  expect(sent).toEqual([]);
});

test('what may ask people after the end is looked for again and again, until it can be', async () => {
  const others = services.filter((service) => service !== consumers.notifierSlack.service);
  const placet = await startTestPlacet({ policy, services: others });
  const raw = await rawBroker(placet.placet);
  const parts = await notifierOf(placet);
  const closed = async () => {
    const found = (await messagesIn(raw)).find(({ event }) => event?.type === 'approval.closed');
    if (!found) throw new Error('it is not closed');
    return { event: found.event, subject: found.subject, seq: found.seq, deliveries: 1 };
  };
  let found: Found = { outcome: 'unseen', reason: 'Slack: missing_scope' };
  const updated: string[] = [];
  const channel: CardChannel = {
    ...keepingChannel().channel,
    find: async () => found,
    async update(handle) {
      updated.push(handle);
      return { outcome: 'delivered', handle };
    },
  };
  const id = await held(placet);
  const key = `slack.my-agent.${id}`;
  const slots = {
    '#approvals': { status: 'sending', attempts: 1, at: Date.now(), begun: Date.now() },
  } as const;
  await parts.ledger.put(key, { until: 0, deadline: 0, slots }, 0);
  await placet.admin.vote(id, { vote: 'approve' });
  const event = await eventually(closed);
  const cards = createCards({ ...parts, channel });
  /** As if a quarter of an hour were over. */
  async function later() {
    const known = await parts.ledger.get(key);
    const slot = known?.entry.slots['#approvals'];
    if (!known || !slot?.until) throw new Error('it is not tried again');
    const entry = { ...known.entry, slots: { '#approvals': { ...slot, until: 1 } } };
    cards.agenda.learn(key, entry, (await parts.ledger.put(key, entry, known.revision)) || 0);
  }

  expect(await cards.handle(event)).toEqual({ outcome: 'done' });
  await later();
  expect(await cards.goOn(key)).toBe('done');
  expect(cards.agenda.get(key)).toBeDefined();
  await later();
  found = { outcome: 'looked', handle: 'there' };
  expect(await cards.goOn(key)).toBe('done');
  expect(cards.agenda.get(key)).toBeUndefined();
  expect(updated).toEqual(['there']);
  const failed = (await messagesIn(raw)).filter(({ event }) => event?.type === 'notification.failed');
  expect(failed).toHaveLength(1);
});
