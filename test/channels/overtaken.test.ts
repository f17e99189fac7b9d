import { consumers, services } from '@placet/events';
import type { CardChannel, Found } from '@placet/notifier-service/card-channel.ts';
import { createCards } from '@placet/notifier-service/cards.ts';
import type { CardsEntry, Ledger } from '@placet/notifier-service/ledger.ts';
import { createTell } from '@placet/notifier-service/tell.ts';
import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, messagesIn, personWith, policy, type RawBroker, rawBroker } from '../support.ts';
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

/** As it is delivered. */
const delivered = (raw: RawBroker, type: string) =>
  eventually(async () => {
    const found = (await messagesIn(raw)).find(({ event }) => event?.type === type);
    if (!found) throw new Error(`there is no ${type}`);
    return { event: found.event, subject: found.subject, seq: found.seq, deliveries: 1 };
  });

/** Reads what is written down only when it is told to. */
function readingSlowly(ledger: Ledger<CardsEntry>) {
  const looks = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const slowly: Ledger<CardsEntry> = {
    ...ledger,
    async get(key) {
      looks.resolve();
      await goesOn.promise;
      return ledger.get(key);
    },
  };
  return { slowly, looks: looks.promise, goOn: goesOn.resolve };
}

test('who has read for long that it waits does not send what has ended meanwhile', async () => {
  const others = services.filter((service) => service !== consumers.notifierSlack.service);
  const placet = await startTestPlacet({ policy, services: others });
  const raw = await rawBroker(placet.placet);
  const parts = await notifierOf(placet);
  const { channel, sent } = keepingChannel();

  const id = await held(placet);
  const { slowly, looks, goOn } = readingSlowly(parts.ledger);
  const slow = createCards({ ...parts, ledger: slowly, channel }).handle(
    await delivered(raw, 'approval.needed'),
  );
  await looks;
  await placet.admin.vote(id, { vote: 'approve' });
  const closed = await delivered(raw, 'approval.closed');
  expect(await createCards({ ...parts, channel }).handle(closed)).toEqual({ outcome: 'done' });
  goOn();

  expect(await slow).toMatchObject({ outcome: 'retry', reason: 'somebody has seen more' });
  expect(sent).toEqual([]);
});

test('who has read before a comment and sends after it reads again', async () => {
  const others = services.filter((service) => service !== consumers.notifierSlack.service);
  const placet = await startTestPlacet({ policy, services: others });
  const raw = await rawBroker(placet.placet);
  const parts = await notifierOf(placet);
  const { channel, sent } = keepingChannel();
  const waits = { ...channel, placeOf: () => ({ name: '#approvals', everyMs: 1 }) };
  const id = await held(placet);
  const key = `slack.my-agent.${id}`;
  const slots = { '#approvals': { status: 'waiting', attempts: 0, at: Date.now() } } as const;
  const entry = { claimed: false, deadline: Date.now() + 60_000, slots };
  const revision = (await parts.ledger.put(key, entry, 0)) || 0;

  const { slowly, looks, goOn } = readingSlowly(parts.ledger);
  const slow = createCards({ ...parts, ledger: slowly, channel: waits });
  slow.agenda.learn(key, entry, revision);
  const going = slow.goOn(key);
  await looks;
  await placet.admin.post(`/v1/approvals/${id}/comments`, { comment: 'Is it so?' });
  const commented = await delivered(raw, 'approval.commented');
  // For the other one it is not the turn.
  const busy = { ...parts.turns, take: async () => null };
  const other = createCards({ ...parts, turns: busy, channel: waits });
  expect(await other.handle(commented)).toEqual({ outcome: 'done' });
  goOn();
  expect(await going).toBe('somebody has seen more');
  expect(sent).toEqual([]);
  expect(await slow.goOn(key)).toBe('done');
  expect(sent).toEqual(['#approvals']);
});

/** Mails, of which the server takes one a minute, or each mailbox one. */
const mailing = (channel: CardChannel, placeOf: (target: string) => string): CardChannel => ({
  ...channel,
  kind: 'email',
  placeOf: (target) => ({ name: placeOf(target), everyMs: 60_000 }),
});

async function startWithoutNotifier(text: string) {
  const others = services.filter((service) => service !== consumers.notifierSlack.service);
  const placet = await startTestPlacet({ policy: text, services: others });
  const raw = await rawBroker(placet.placet);
  return { placet, raw, parts: { ...(await notifierOf(placet)), setUp: { slack: true, email: true } } };
}

test('who has read before a channel failed does not forget those who are told instead', async () => {
  const { placet, raw, parts } = await startWithoutNotifier(
    'version: 1\nrules: [{ action: "*", decide: require_approval, approvers: ["#approvals"] }]\ndefault: deny',
  );
  const channel = mailing(keepingChannel().channel, () => 'the mail server');
  // It has something else to do for a minute.
  await parts.turns.take({ name: 'the mail server', everyMs: 60_000 }, 'other', 1);
  const id = await held(placet);
  const needed = await delivered(raw, 'approval.needed');
  const { slowly, looks, goOn } = readingSlowly(parts.ledger);
  const slow = createCards({ ...parts, ledger: slowly, channel }).handle(needed);
  await looks;
  await createTell(parts.bus, 'slack').failed({
    ...{ action_id: id, agent: 'my-agent', target: '#approvals', attempts: 1 },
    ...{ about: needed.event.id, about_type: 'approval.needed', error: 'Slack: channel_not_found' },
  });
  const other = createCards({ ...parts, channel });
  expect(await other.handle(await delivered(raw, 'notification.failed'))).toEqual({ outcome: 'done' });
  goOn();
  expect(await slow).toMatchObject({ outcome: 'retry', reason: 'somebody has seen more' });
  const entry = (await parts.ledger.get(`email.my-agent.${id}`))?.entry;
  expect(Object.values(entry?.slots ?? {}).map(({ status }) => status)).toEqual(['waiting']);
});

test('of many who are asked a few are told at once, and nobody any more when it is over', async () => {
  const { placet, raw, parts } = await startWithoutNotifier(
    'version: 1\nrules: [{ action: "*", decide: require_approval, approvers: ["role:manager"] }]\ndefault: deny',
  );
  const people = [];
  for (let n = 0; n < 12; n++) people.push(await personWith(placet, `m${n}@example.com`, ['manager']));
  const { channel, sent } = keepingChannel();
  const cards = createCards({ ...parts, channel: mailing(channel, (target) => target) });
  const id = await held(placet);
  expect(await cards.handle(await delivered(raw, 'approval.needed'))).toEqual({ outcome: 'done' });
  expect(sent).toHaveLength(5);
  expect(cards.agenda.size()).toBe(7);
  expect((await people[0]?.vote(id, { vote: 'approve' }))?.body.decision).toBe('allowed');
  expect(await cards.handle(await delivered(raw, 'approval.closed'))).toEqual({ outcome: 'done' });
  expect(sent).toHaveLength(5);
  expect(cards.agenda.size()).toBe(0);
});

test('what the stream has let go of is left alone from then on', async () => {
  const others = services.filter((service) => service !== consumers.notifierSlack.service);
  const placet = await startTestPlacet({ policy, services: others });
  const parts = await notifierOf(placet);
  const cards = createCards({ ...parts, channel: keepingChannel().channel });
  const key = 'slack.my-agent.act_of_last_year';
  const slots = { '#approvals': { status: 'waiting', attempts: 0, at: 0 } } as const;
  const entry = { claimed: false, deadline: 0, slots };
  cards.agenda.learn(key, entry, (await parts.ledger.put(key, entry, 0)) || 0);
  expect(await cards.goOn(key)).toBe('done');
  expect(cards.agenda.get(key)).toBeUndefined();
  expect((await parts.ledger.get(key))?.entry.slots).toEqual({});
});

test('what may ask people after the end is looked for again and again, until it can be', async () => {
  const others = services.filter((service) => service !== consumers.notifierSlack.service);
  const placet = await startTestPlacet({ policy, services: others });
  const raw = await rawBroker(placet.placet);
  const parts = await notifierOf(placet);
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
  await parts.ledger.put(key, { claimed: false, deadline: null, slots }, 0);
  await placet.admin.vote(id, { vote: 'approve' });
  const event = await delivered(raw, 'approval.closed');
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
