import { eventually, releaseAfterEach, startFakeSlack, startTestCluster } from '@placet/testing';
import { expect, test } from 'vitest';
import { deployer, doorsOf } from './support.ts';

releaseAfterEach();

const approvals = 500;
const channels = Array.from({ length: 40 }, (_, n) => ({ id: `C0BURST${n}`, name: `burst-${n}` }));
const policy = [
  'version: 1',
  'rules:',
  ...channels.map(
    ({ name }) =>
      `  - { action: ${name}.pay, decide: require_approval, approvers: ["#${name}"], timeout: 2h }`,
  ),
].join('\n');
const kills = 5;

async function sentBy(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^placet_notifications_total\{channel="slack",result="sent"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

/** Twelve or thirteen approvals a channel, and Slack takes one message a second there. */
test('500 approvals at once, while a notifier is killed five times: each stands in Slack, and two share the work', async () => {
  const slack = await startFakeSlack({ channels, perSecond: 1 });
  const notifier = { PLACET_SLACK_API_URL: slack.apiUrl, PLACET_SLACK_BOT_TOKEN: slack.botToken };
  const cluster = await startTestCluster({ policy, instances: { notifier: 2 }, env: { notifier } });
  const [door] = doorsOf(cluster);
  if (!door) throw new Error('no gateway');
  const cards = () => channels.flatMap(({ id }) => slack.messages(id));

  const asked = await Promise.all(
    Array.from({ length: approvals }, async (_, n) => {
      const action_name = `${channels[n % channels.length]?.name}.pay`;
      return (await door.agent.check({ action_name, payload: { n } })).body.action_id as string;
    }),
  );
  const notifiers = cluster.of('notifier');
  /** How many each has sent in all its lives. */
  const shares = notifiers.map(() => 0);
  const addShare = async (one: number) => {
    shares[one] = (shares[one] ?? 0) + (await sentBy(notifiers[one]?.url ?? ''));
  };
  for (let n = 0; n < kills; n++) {
    const before = cards().length;
    await eventually(() => expect(cards().length).toBeGreaterThan(before + 5), 60_000);
    const victim = n % notifiers.length;
    await addShare(victim);
    await notifiers[victim]?.end('SIGKILL');
    await notifiers[victim]?.start();
  }
  const idsIn = (channel: string) =>
    slack.messages(channel).map(({ metadata }) => String(metadata?.event_payload['action_id']));
  const shown = () => channels.flatMap(({ id }) => idsIn(id));
  await eventually(() => expect(new Set(shown())).toEqual(new Set(asked)), 180_000);

  // Where a notifier died it is looked for first; only of the first card in a channel nobody knows where to look.
  for (const { id } of channels) {
    const [first, ...rest] = idsIn(id);
    const others = rest.filter((one) => one !== first);
    expect(others).toEqual([...new Set(others)]);
  }
  const { jsm } = await deployer(cluster);
  await eventually(async () => {
    const { state } = await jsm.streams.info('PLACET', {
      subjects_filter: 'placet.note.*.*.notification.sent.*',
    });
    expect(Object.keys(state.subjects ?? {})).toHaveLength(approvals);
  }, 60_000);
  const failed = await jsm.streams.info('PLACET', {
    subjects_filter: 'placet.note.*.*.notification.failed.*',
  });
  expect(failed.state.subjects ?? {}).toEqual({});
  await Promise.all(notifiers.map((_, one) => addShare(one)));
  expect(Math.min(...shares)).toBeGreaterThan(0);
}, 400_000);
