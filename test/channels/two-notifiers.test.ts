import { consumers, services } from '@placet/events';
import { workOff } from '@placet/notifier-service/agenda-worker.ts';
import { createCards } from '@placet/notifier-service/cards.ts';
import { createSlackChannel } from '@placet/notifier-service/channels/slack/channel.ts';
import { openLedger, PlaceEntry } from '@placet/notifier-service/ledger.ts';
import type { Turns } from '@placet/notifier-service/turns.ts';
import { subscribe } from '@placet/runtime';
import {
  eventually,
  type FakeSlack,
  releaseAfterEach,
  startFakeSlack,
  startTestPlacet,
  type TestPlacet,
} from '@placet/testing';
import { expect, test } from 'vitest';
import { held } from '../support.ts';
import { notifierOf } from './notifier-support.ts';
import { policy } from './slack-support.ts';

releaseAfterEach();

const approvals = 25;
/** More than the fake wants: whoever comes a little late is not close to the next. */
const everyMs = 350;
const withoutNotifier = services.filter((service) => service !== consumers.notifierSlack.service);

/** One more that tells Slack, and how many turns it has taken and cards it has sent. */
async function startNotifier(placet: TestPlacet, slack: FakeSlack) {
  const { resources, ...parts } = await notifierOf(placet);
  const seen = { turns: [] as number[], cards: 0 };
  const turns: Turns = {
    ...parts.turns,
    async take(place, agent, wanted) {
      const grant = await parts.turns.take(place, agent, wanted);
      if (grant) seen.turns.push(grant.from);
      return grant;
    },
  };
  const channel = createSlackChannel({
    botToken: slack.botToken,
    apiUrl: slack.apiUrl,
    publicUrl: undefined,
    places: await openLedger(parts.context, PlaceEntry),
    everyMs,
  });
  const counted: typeof channel = {
    ...channel,
    async send(target, told) {
      const sent = await channel.send(target, told);
      if (sent.outcome === 'delivered') seen.cards += 1;
      return sent;
    },
  };
  const cards = createCards({ ...parts, turns, channel: counted });
  workOff({ ...parts, alarm: async () => {}, resources, turns, channel: counted, cards });
  subscribe(parts.context, parts.bus, async () => {}, resources, {
    spec: consumers.notifierSlack,
    handle: cards.handle,
    concurrency: 16,
  });
  return seen;
}

test('two notifiers share the turns of a channel: each card is sent once, and takes one turn', async () => {
  const slack = await startFakeSlack({ perSecond: 1, rateWindowMs: 200 });
  const placet = await startTestPlacet({ policy, services: withoutNotifier });
  const one = await startNotifier(placet, slack);
  const other = await startNotifier(placet, slack);
  const asked = await Promise.all(
    Array.from({ length: approvals }, (_, n) =>
      held(placet, { action_name: 'refund.create', payload: { n } }),
    ),
  );
  const shown = () =>
    slack.messages('#approvals').map(({ metadata }) => String(metadata?.event_payload['action_id']));
  await eventually(() => expect(new Set(shown())).toEqual(new Set(asked)), 60_000);
  expect(shown()).toHaveLength(approvals);
  expect(one.cards).toBeGreaterThan(0);
  expect(other.cards).toBeGreaterThan(0);
  const turns = [...one.turns, ...other.turns].toSorted((a, b) => a - b);
  expect(turns.length).toBeLessThan(approvals * 1.3);
  const gaps = turns.slice(1).map((turn, n) => turn - (turns[n] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(everyMs);
  // Now and then one comes late for its turn, and the next too soon after it.
  const posts = slack.calls.filter(({ method }) => method === 'chat.postMessage');
  expect(posts.length).toBeLessThan(approvals * 2);
});
