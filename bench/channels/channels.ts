import { join } from 'node:path';
import { startCluster } from '@placet/cluster';
import { startFakeSlack } from '@placet/testing';
import { createCall } from '../call.ts';
import { load, type Sample, summarise, table } from '../measure.ts';
import { makeWorkspace } from '../workspace.ts';

const samples = 300;
const warmUp = 30;
/** Slack takes one message a second in a channel, so each has to do with few of them. */
const channels = Array.from({ length: 100 }, (_, n) => ({ id: `C0BENCH${n}`, name: `bench-${n}` }));
const cardP50Ms = 30;
const clickP50Ms = 15;
const person = { email: 'ann@example.com', user: 'U0ANN' };

const policy = [
  'version: 1',
  'rules:',
  ...channels.map(({ name }) => `  - { action: ${name}, decide: require_approval, approvers: ["#${name}"] }`),
].join('\n');

/** How soon an approval stands in Slack, and how soon the agent knows what was clicked there. */
export async function measureChannels(
  natsServer: string,
  scale: number,
  say: (line: string) => void,
): Promise<{ text: string; missed: string[] }> {
  const { dir, remove } = makeWorkspace();
  const slack = await startFakeSlack({ channels });
  const env = { PLACET_SLACK_API_URL: slack.apiUrl };
  const cluster = await startCluster({
    natsServer,
    dir: join(dir, 'data'),
    syncAlways: true,
    env: {
      gateway: { ...env, PLACET_SLACK_SIGNING_SECRET: slack.signingSecret },
      notifier: { ...env, PLACET_SLACK_BOT_TOKEN: slack.botToken },
    },
  });
  try {
    const url = cluster.of('gateway')[0]?.url ?? '';
    slack.interactiveUrl = `${url}/slack/interactive`;
    const call = createCall<Json>(url);
    await call(cluster.personToken, 'PUT', '/v1/policies/default', policy);
    const { person: ann } = await call(cluster.personToken, 'POST', '/v1/people', { email: person.email });
    const slackUser = { slack: [{ team: slack.teamId, user: person.user }] };
    await call(cluster.personToken, 'PATCH', `/v1/people/${ann?.id}`, slackUser);

    const cards: number[] = [];
    const clicks: number[] = [];
    say(`${samples} approvals, one after the other …`);
    await load(1, Math.max(50, Math.round(samples * scale)) + warmUp, async (n) => {
      const { id, name } = channels[n % channels.length] ?? { id: '', name: '' };
      const { action_id } = await call(cluster.agentKey, 'POST', '/v1/check', {
        action_name: name,
        payload: { n },
      });
      const card = await until(() =>
        slack.messages(id).find(({ metadata }) => metadata?.event_payload['action_id'] === action_id),
      );
      const asked = await neededAt(call, cluster.personToken, action_id);
      const waiting = call(cluster.agentKey, 'GET', `/v1/check/${action_id}?wait=30`);
      // Until the agent waits indeed.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const clicked = performance.now();
      const click = slack.click({ user: person.user, channel: id, ts: card.ts, actionId: 'approve' });
      await waiting;
      if (n >= warmUp) {
        clicks.push(performance.now() - clicked);
        cards.push(Number(card.ts) * 1000 - asked);
      }
      await click;
    });
    const [card, click] = [summarise(cards), summarise(clicks)];
    return {
      text: `An approval as it is shown in Slack and decided there, with fsync on every write, five processes and a Slack of ours.

${table(
  ['', 'p50 ms', 'p99 ms', 'max ms', 'samples'],
  [row('from approval.needed to the card', card), row("from the click to the agent's answer", click)],
)}`,
      missed: [
        ...(card.p50 < cardP50Ms ? [] : [`a card stands in Slack within ${cardP50Ms} ms (p50)`]),
        ...(click.p50 < clickP50Ms
          ? []
          : [`an agent has its answer within ${clickP50Ms} ms of the click (p50)`]),
      ],
    };
  } finally {
    await cluster.stop();
    await slack.close();
    remove();
  }
}

const row = (name: string, { p50, p99, max, count }: Sample) => [name, p50, p99, max, String(count)];

/** When the policy had asked, by the clock of this machine. */
async function neededAt(call: Call, token: string, id: string): Promise<number> {
  const found = await untilAsync(async () => {
    const { records = [] } = await call(token, 'GET', `/v1/audit?action=${id}&type=approval.needed`);
    return records[0];
  });
  return Date.parse((JSON.parse(found.body) as { time: string }).time);
}

async function until<T>(look: () => T | undefined): Promise<T> {
  return untilAsync(async () => look());
}

async function untilAsync<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error('nothing came within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

type Json = {
  action_id: string;
  person?: { id: string };
  records?: { body: string }[];
};
type Call = ReturnType<typeof createCall<Json>>;
