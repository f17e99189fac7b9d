import { consumers, eventStream } from '@placet/events';
import { eventually, releaseAfterEach, startFakePagerDuty, startFakeSlack } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, type RawBroker, rawBroker } from '../support.ts';
import { letters, startWithEmail } from './email-support.ts';
import { actsOf, incidentIs } from './pagerduty-support.ts';
import { cardOf, textOf } from './slack-support.ts';

releaseAfterEach();

const durables = [consumers.notifierSlack, consumers.notifierPagerduty, consumers.notifierEmail];

/** Every event comes again, as if nobody had ever seen it. */
async function fromTheBeginning({ jsm }: RawBroker): Promise<void> {
  for (const { durable } of durables) {
    const { config } = await jsm.consumers.info(eventStream, durable);
    await jsm.consumers.delete(eventStream, durable);
    await jsm.consumers.add(eventStream, config);
  }
}

async function worksOff({ jsm }: RawBroker): Promise<void> {
  await eventually(async () => {
    for (const { durable } of durables) {
      const { num_pending, num_ack_pending, delivered } = await jsm.consumers.info(eventStream, durable);
      expect({ durable, num_pending, num_ack_pending }).toEqual({
        durable,
        num_pending: 0,
        num_ack_pending: 0,
      });
      expect(delivered.consumer_seq).toBeGreaterThan(0);
    }
  });
}

test('every event again: nobody is told anything twice, in any channel', async () => {
  const slack = await startFakeSlack();
  const pagerDuty = await startFakePagerDuty();
  const { smtp, placet, mia } = await startWithEmail({
    env: {
      PLACET_SLACK_API_URL: slack.apiUrl,
      PLACET_SLACK_BOT_TOKEN: slack.botToken,
      PLACET_PAGERDUTY_URL: pagerDuty.url,
      PLACET_PAGERDUTY_KEYS: `airline=${pagerDuty.routingKeys[0]}`,
    },
  });
  const raw = await rawBroker(placet.placet);
  const open = await held(placet, { action_name: 'refund.everywhere', payload: { n: 1 } });
  const over = await held(placet, { action_name: 'refund.everywhere', payload: { n: 2 } });
  const cards = () => slack.messages('#approvals');
  await eventually(() => expect(cards()).toHaveLength(2));
  await letters(smtp, 'mia@example.com', 2);
  await letters(smtp, 'max@example.com', 2);
  await incidentIs(pagerDuty, over, 'triggered');
  await mia.vote(over, { vote: 'reject' });
  await eventually(async () =>
    expect(textOf(await cardOf(slack, over))).toContain('Denied by mia@example.com'),
  );
  await incidentIs(pagerDuty, over, 'resolved');
  await letters(smtp, 'max@example.com', 3);
  await worksOff(raw);
  const before = { mails: smtp.mails.length, events: pagerDuty.events.length };

  await placet.placet.stop('notifier');
  await fromTheBeginning(raw);
  await placet.placet.start('notifier');
  await worksOff(raw);

  expect({ mails: smtp.mails.length, events: pagerDuty.events.length }).toEqual(before);
  expect(cards()).toHaveLength(2);
  expect(actsOf(pagerDuty, open)).toEqual(['trigger']);
  expect(actsOf(pagerDuty, over)).toEqual(['trigger', 'resolve']);
});
