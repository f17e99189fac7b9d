import { createHmac } from 'node:crypto';
import { loadKeys, readPlacetSettings } from '@placet/embedded';
import { startGatewayService } from '@placet/gateway-service';
import { createLogger, createMetrics } from '@placet/runtime';
import {
  createClient,
  eventually,
  type FakeSlack,
  releaseAfterEach,
  releaseAfterTest,
} from '@placet/testing';
import { expect, test } from 'vitest';
import { alarmKinds, rawBroker } from '../support.ts';
import { ask, cardOf, startWithSlack } from './slack-support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - action: reason
    decide: require_approval
    approvers: ["#approvals"]
    require_reason: always
  - action: edit
    decide: require_approval
    approvers: ["#approvals"]
    editable: [payload.amount]
  - action: deploy
    decide: require_approval
    approvers: ["#approvals"]
    quorum: 2
    choices: [{ name: blue, means: allow }, { name: green, means: allow }, { name: no, means: deny }]
default: require_approval
`;
const page = 'https://placet.example.com/approvals';
const start = () => startWithSlack({}, { policy, env: { PLACET_PUBLIC_URL: 'https://placet.example.com' } });
type Started = Awaited<ReturnType<typeof start>>;

const ann = 'U0ANN';
const lastSaid = ({ ephemerals }: FakeSlack) => ephemerals.at(-1)?.text ?? '';

async function pressed(
  { slack, placet }: Started,
  name: string,
  actionId: string,
  user = ann,
  more: object = {},
) {
  const id = await ask(placet, name, more);
  const { channel, ts } = await cardOf(slack, id);
  const press = () => slack.click({ user, channel, ts, actionId });
  return { id, press, answer: await press() };
}

const unlink = async ({ placet }: Started, email: string) => {
  const { people } = (await placet.admin.get('/v1/people')).body;
  const { id } = people.find((one: { email: string }) => one.email === email);
  await placet.admin.patch(`/v1/people/${id}`, { slack: [] });
};

test.each([
  ['Slack does not open it', async ({ slack }: Started) => slack.failNext('views.open', { status: 500 })],
  ['the notifier is away', async ({ placet }: Started) => placet.placet.stop('notifier')],
] as const)('who presses a button that opens a window is told what to do: %s', async (_, fail) => {
  const started = await start();
  const { slack, placet } = started;
  const cards = [
    { name: 'edit', actionId: 'edit', more: { accepts: ['edits'] }, said: 'What you change is asked for' },
    { name: 'reason', actionId: 'reject', more: {}, said: 'The policy wants a reason.' },
    { name: 'other', actionId: 'approve', more: {}, said: 'Placet does not know who you are.' },
  ];
  const asked = [];
  for (const one of cards) {
    const id = await ask(placet, one.name, { ...one.more, approvers: ['#approvals'] });
    asked.push({ ...one, id, card: await cardOf(slack, id) });
  }
  for (const { id, card, actionId, said, name } of asked) {
    if (name === 'other') await unlink(started, 'ann@example.com');
    await fail(started);
    const { channel, ts } = card;
    expect(await slack.click({ user: ann, channel, ts, actionId })).toMatchObject({ status: 200 });
    await eventually(() => expect(lastSaid(slack)).toContain(said));
    expect(lastSaid(slack)).toContain('nothing is counted yet');
    expect(lastSaid(slack)).toContain(`${page}/${id}`);
  }
  expect(slack.views.size).toBe(0);
});

/** A request as Slack signs it, which can be sent to any gateway. */
function signedClick({ signingSecret, teamId }: FakeSlack, action_id: string, value: object) {
  const payload = {
    type: 'block_actions',
    user: { id: ann, team_id: teamId },
    team: { id: teamId },
    trigger_id: `${Math.random()}`,
    actions: [{ action_id, value: JSON.stringify(value) }],
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = `${Math.floor(Date.now() / 1000)}`;
  const signature = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${signature}`,
  };
  return async (url: string) =>
    (await fetch(`${url}/slack/interactive`, { method: 'POST', headers, body })).status;
}

async function anotherGateway({ slack, placet }: Started) {
  const settings = readPlacetSettings({
    PLACET_PORT: '0',
    PLACET_DATA: placet.dataDir,
    PLACET_SLACK_API_URL: slack.apiUrl,
    PLACET_SLACK_SIGNING_SECRET: slack.signingSecret,
  });
  const logger = createLogger({ level: 'silent' });
  const { sealer } = loadKeys(placet.dataDir);
  const environment = { nats: placet.placet.nats, sealer, logger, metrics: createMetrics() };
  const gateway = await startGatewayService(environment, { config: settings });
  releaseAfterTest('another gateway', () => gateway.close());
  return gateway;
}

test('an older click that somebody kept counts at no other gateway, and at none that started since', async () => {
  const started = await start();
  const { slack, placet } = started;
  const second = await anotherGateway(started);
  const id = await ask(placet, 'deploy');
  const { payload_digest } = (await placet.admin.get(`/v1/approvals/${id}`)).body;
  const subject = { action_id: id, payload_digest };
  const choices = async (by = createClient(second.url, placet.personToken)) =>
    (await by.get(`/v1/approvals/${id}`)).body.votes.map(({ choice }: { choice: string }) => choice);
  const [blue, green] = [
    signedClick(slack, 'choice:blue', subject),
    signedClick(slack, 'choice:green', subject),
  ];
  expect(await blue(placet.url)).toBe(200);
  expect(await choices()).toEqual(['blue']);
  expect(await green(second.url)).toBe(200);
  expect(await choices()).toEqual(['blue', 'green']);
  for (const url of [second.url, placet.url]) expect(await blue(url)).toBe(200);
  expect(await choices()).toEqual(['blue', 'green']);
  expect(await blue((await anotherGateway(started)).url)).toBe(200);
  expect(await choices()).toEqual(['blue', 'green']);
});

test('a click that was held back does not count over what the person said since, and that is said', async () => {
  const started = await start();
  const { slack, placet } = started;
  const id = await ask(placet, 'deploy');
  const { channel, ts } = await cardOf(slack, id);
  const choices = async () =>
    (await placet.admin.get(`/v1/approvals/${id}`)).body.votes.map(
      ({ choice }: { choice: string }) => choice,
    );
  await slack.click({ user: ann, channel, ts, actionId: 'choice:blue' });
  expect(await choices()).toEqual(['blue']);
  await slack.click({ user: ann, channel, ts, actionId: 'choice:green', timestampOffset: -250 });
  await eventually(() => expect(lastSaid(slack)).toContain('You have said something else since'));
  expect(lastSaid(slack)).toContain('Your click was not counted.');
  expect(await choices()).toEqual(['blue']);
  await slack.click({ user: ann, channel, ts, actionId: 'choice:green' });
  expect(await choices()).toEqual(['blue', 'green']);
});

test('where there is no room for clicks, whoever clicks is sent to the page, and that is an alarm', async () => {
  const started = await start();
  const { slack, placet } = started;
  const raw = await rawBroker(placet.placet);
  await pressed(started, 'reason', 'reject');
  const [view] = slack.views.values();
  const { config } = await raw.jsm.streams.info('KV_placet-clicks');
  await raw.jsm.streams.update(config.name, { ...config, max_bytes: 1 });
  const { id } = await pressed(started, 'deploy', 'choice:blue');
  await eventually(() => expect(lastSaid(slack)).toContain('There is no room to take clicks'));
  expect(lastSaid(slack)).toContain(`${page}/${id}`);
  expect((await placet.admin.get(`/v1/approvals/${id}`)).body.votes).toEqual([]);
  const sent = await slack.submit({ user: ann, viewId: view?.id ?? '', values: { comment: 'too much' } });
  expect(sent.body).toMatchObject({ errors: { comment: expect.stringContaining(`${page}/act_`) } });
  await eventually(async () => expect(await alarmKinds(raw)).toContain('clicks_full'));
});

test('whoever is not linked takes no room among the clicks', async () => {
  const started = await start();
  const { slack, placet } = started;
  const { jsm } = await rawBroker(placet.placet);
  const clicks = async () => (await jsm.streams.info('KV_placet-clicks')).state.messages;
  await unlink(started, 'ann@example.com');
  const { press } = await pressed(started, 'deploy', 'choice:blue');
  await press();
  await eventually(() => expect(slack.views.size).toBe(2));
  const [view] = slack.views.values();
  await slack.submit({ user: ann, viewId: view?.id ?? '', values: { code: 'AAAA-BBBB-CCCC' } });
  expect(await clicks()).toBe(0);
  await pressed(started, 'deploy', 'choice:blue', 'U0BEN');
  expect(await clicks()).toBe(1);
});

test('where it cannot be known whether a click came before, it does not count, and that is said', async () => {
  const started = await start();
  const { slack, placet } = started;
  const { jsm } = await rawBroker(placet.placet);
  await jsm.streams.delete('KV_placet-clicks');
  const { id } = await pressed(started, 'other', 'approve', ann, { approvers: ['#approvals'] });
  await eventually(() => expect(lastSaid(slack)).toContain('Placet did not answer.'));
  expect(lastSaid(slack)).toContain(`${page}/${id}`);
  expect((await placet.admin.get(`/v1/approvals/${id}`)).body.votes).toEqual([]);
});

test.each([
  ['is away', async ({ placet }: Started) => placet.placet.stop('decisions')],
  [
    'is slow',
    async ({ placet }: Started) => {
      await placet.placet.stop('decisions');
      // Takes what is asked, and answers nothing.
      const { nc } = await rawBroker(placet.placet);
      nc.subscribe('placetrpc.decisions.>', { queue: 'decisions', callback: () => {} });
      await nc.flush();
    },
  ],
] as const)('Slack hears in time that a click or a modal has come, while decisions %s', async (_, leave) => {
  const started = await start();
  const { slack, placet } = started;
  const clicked = await ask(placet, 'other', { approvers: ['#approvals'] });
  const card = await cardOf(slack, clicked);
  await pressed(started, 'reason', 'reject');
  const [view] = slack.views.values();
  await leave(started);
  // The vendor's double fails what is not acknowledged within three seconds.
  const { channel, ts } = card;
  expect(await slack.click({ user: ann, channel, ts, actionId: 'approve' })).toMatchObject({ status: 200 });
  const sent = await slack.submit({ user: ann, viewId: view?.id ?? '', values: { comment: 'too much' } });
  expect(sent).toMatchObject({
    status: 200,
    body: {
      response_action: 'errors',
      errors: { comment: expect.stringMatching(/Placet (did|does) not answer/) },
    },
  });
  await eventually(() => expect(lastSaid(slack)).toContain('Placet did not answer.'));
});
