import { consumers } from '@placet/events';
import { eventually, releaseAfterEach, type TestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, rawBroker } from '../support.ts';
import { mailsTo, nothingIsDue } from './email-support.ts';
import { told, toldOnce } from './pagerduty-support.ts';
import { startOtherChannels, startWithSlack } from './slack-support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - { action: page, decide: require_approval, approvers: ["pagerduty:airline"] }
  - { action: channel, decide: require_approval, approvers: ["#approvals"] }
  - { action: ben, decide: require_approval, approvers: ["user:ben@example.com"] }
  - { action: owner, decide: require_approval, approvers: ["user:admin@example.com", "user:ann@example.com"] }
  - { action: anybody, decide: require_approval, approvers: ["role:approver"] }
default: require_approval
`;
const wrongKey = `airline=${'b'.repeat(32)}`;
const failedOf = (placet: TestPlacet, id: string) => told(placet, id, 'notification.failed');

test('when nobody can be paged and there is no mail, those who would have been are told in Slack, and why', async () => {
  const { pagerduty } = await startOtherChannels();
  const { slack, placet } = await startWithSlack(
    {},
    { policy, env: { PLACET_PAGERDUTY_URL: pagerduty.url, PLACET_PAGERDUTY_KEYS: wrongKey } },
  );
  const id = await held(placet, { action_name: 'page' });
  await eventually(() => {
    for (const user of ['U0ANN', 'U0BEN']) {
      const [message] = slack.messages(user);
      expect(JSON.stringify(message?.blocks)).toContain(
        'PagerDuty airline could not be reached, so you are told here.',
      );
    }
  });
  await nothingIsDue(await rawBroker(placet.placet), consumers.notifierSlack);
  expect(slack.messages('U0ANN')).toHaveLength(1);
  await eventually(async () => expect(await failedOf(placet, id)).toHaveLength(1));
});

test('whom neither the channel nor a mail reaches is told in a message of their own', async () => {
  const { smtp, env } = await startOtherChannels({ unknown: ['ann@example.com'] });
  const { slack, placet } = await startWithSlack({}, { policy, env });
  slack.changeChannel('#approvals', { archived: true });
  await held(placet, { action_name: 'channel' });
  await eventually(() => {
    const [message] = slack.messages('U0ANN');
    expect(JSON.stringify(message?.blocks)).toContain('#approvals in Slack and Email could not be reached');
  });
  await eventually(() => {
    const [mail] = mailsTo(smtp, 'ben@example.com');
    expect(mail?.text).toContain('#approvals in Slack could not be reached, so you are told here.');
  });
  await nothingIsDue(await rawBroker(placet.placet), consumers.notifierSlack);
  expect(slack.messages('U0ANN')).toHaveLength(1);
  expect(slack.messages('U0BEN')).toEqual([]);
});

test('whom no channel tells is one line for an approval, with what to do', async () => {
  const { slack, placet } = await startWithSlack({}, { policy });
  const id = await held(placet, { action_name: 'owner' });
  expect(await toldOnce(placet, id, 'notification.failed')).toMatchObject({
    channel: 'none',
    target: 'user:admin@example.com',
    error: expect.stringMatching(/link them, or set up email\. It waits in the list at \/approvals/),
  });
  const { notifications } = (await placet.admin.get('/v1/notifications?failed')).body;
  expect(notifications).toMatchObject([{ action_id: id, channel: 'none', status: 'failed' }]);
  await eventually(() => expect(slack.messages('U0ANN')).toHaveLength(1));

  const other = await held(placet, { action_name: 'anybody' });
  await eventually(async () => expect(await told(placet, other, 'notification.sent')).toHaveLength(2));
  await nothingIsDue(await rawBroker(placet.placet), consumers.notifierUntold);
  expect(await failedOf(placet, other)).toEqual([]);
});
