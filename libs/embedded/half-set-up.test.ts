import { expect, test } from 'vitest';
import { halfSetUp } from './half-set-up.ts';
import { readPlacetSettings } from './settings.ts';

const token = 'xoxb-1';
const secret = 'f'.repeat(32);

test.each([
  ['nothing', {}, []],
  ['Slack that is not heard', { PLACET_SLACK_BOT_TOKEN: token }, [/PLACET_SLACK_SIGNING_SECRET/]],
  ['Slack, by signed requests', { PLACET_SLACK_BOT_TOKEN: token, PLACET_SLACK_SIGNING_SECRET: secret }, []],
  ['Slack, by its socket', { PLACET_SLACK_BOT_TOKEN: token, PLACET_SLACK_APP_TOKEN: 'xapp-1' }, []],
  ['Slack that is told nothing', { PLACET_SLACK_SIGNING_SECRET: secret }, [/PLACET_SLACK_BOT_TOKEN/]],
] as const)('%s', (_, env, expected) => {
  const told = halfSetUp(readPlacetSettings({ ...env }));
  expect(told).toEqual(expected.map((words) => expect.stringMatching(words)));
});
