import { createClient, eventually, releaseAfterEach } from '@placet/testing';
import { expect, test } from 'vitest';
import { personWith } from '../support.ts';
import { letters, linksIn, mailsTo } from './email-support.ts';
import { ask, cardOf, startOtherChannels, startWithSlack, textOf } from './slack-support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - action: pay
    decide: require_approval
    approvers: ["#approvals"]
    inform: [owner, "#outcomes", "#approvals", "user:ann@example.com", "role:auditor", "pagerduty:airline"]
  - action: soon
    decide: require_approval
    approvers: ["#approvals"]
    timeout: 1s
    inform: ["#outcomes"]
default: require_approval
`;

async function start() {
  const { env, ...others } = await startOtherChannels();
  const channels = ['approvals', 'outcomes'].map((name) => ({ id: `C0${name.toUpperCase()}`, name }));
  const started = await startWithSlack(
    { channels },
    {
      policy,
      env,
    },
  );
  await personWith(started.placet, 'audrey@example.com', ['auditor']);
  const gone = await personWith(started.placet, 'gone@example.com', ['auditor']);
  await started.placet.admin.patch(`/v1/people/${gone.id}`, { disabled: true });
  const made = await started.placet.admin.post('/v1/agents', { name: 'payer', owner: 'Olga@Example.com' });
  const placet = { ...started.placet, agent: createClient(started.placet.url, made.body.key) };
  return { ...started, ...others, placet };
}

test('whom the policy informs is told how it ended, once, and is not asked', async () => {
  const { slack, placet, smtp, pagerduty } = await start();
  const id = await ask(placet, 'pay');
  await cardOf(slack, id);
  expect(slack.messages('#outcomes')).toEqual([]);
  await placet.admin.vote(id, { vote: 'reject', comment: 'Not this month.' });

  const ofIt = (place: string) =>
    slack.messages(place).filter(({ metadata }) => metadata?.event_payload['action_id'] === id);
  for (const place of ['#outcomes', 'U0ANN']) {
    const [card] = await eventually(() => {
      expect(ofIt(place)).toHaveLength(1);
      return ofIt(place);
    });
    if (!card) throw new Error('no card');
    expect(textOf(card)).toContain('Denied by admin@example.com: Not this month.');
    expect(textOf(card)).not.toContain('"action_id":"approve"');
  }
  // Who was asked there sees it where it stood.
  await eventually(() => expect(textOf(ofIt('#approvals')[0] ?? { blocks: [] })).toContain('Denied by'));
  expect(ofIt('#approvals')).toHaveLength(1);
  for (const email of ['olga@example.com', 'audrey@example.com']) {
    const [mail] = await letters(smtp, email);
    expect(mail?.subject).toBe('Decided: payer asked for pay');
    expect(mail?.text).toContain('Not this month.');
    expect(mail?.text).toContain('amount: ');
    expect(mail?.text).toContain('You are told as');
    expect(linksIn(mail)).toEqual([]);
  }
  expect(mailsTo(smtp, 'gone@example.com')).toEqual([]);
  expect(mailsTo(smtp, 'ann@example.com')).toEqual([]);
  expect(pagerduty.incidents()).toEqual([]);
});

test('of what nobody has decided in time, too', async () => {
  const { slack, placet } = await start();
  const id = await ask(placet, 'soon');
  const [card] = await eventually(() => {
    const found = slack
      .messages('#outcomes')
      .filter(({ metadata }) => metadata?.event_payload['action_id'] === id);
    expect(found).toHaveLength(1);
    return found;
  });
  expect(JSON.stringify(card?.blocks)).toMatch(/Denied by .*time/);
});
