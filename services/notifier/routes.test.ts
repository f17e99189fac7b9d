import type { Approver, Reachable } from '@placet/events';
import { expect, test } from 'vitest';
import { isPeopleWanted, lostFor, routesOf, type SetUp, untoldOf, untoldText } from './routes.ts';
import { ann, endedOf, toldOf } from './test/told-of.ts';
import type { Told } from './told.ts';

const finance: Approver = { kind: 'channel', channel: 'finance' };
const airline: Approver = { kind: 'pagerduty', service: 'airline' };
const manager: Approver = { kind: 'role', role: 'manager' };
const linked = [{ team: 'T0', user: 'U0' }];
const all: SetUp = { slack: true, email: true };

function told(
  approvers: Approver[],
  people: Reachable[],
  failed: [channel: string, target: string][] = [],
): Told {
  const demands = [{ scope: null, rule: null, approvers, quorum: 1 }];
  const common = { action_id: 'act_1', agent: 'support', about: 'evt', attempts: 1, error: 'no' };
  return {
    ...toldOf({ needed: { demands }, people }),
    failed: failed.map(([channel, target]) => ({
      ...common,
      channel,
      target,
      about_type: 'approval.needed',
    })),
  };
}

const routes = (of: Told, setUp: SetUp = all) =>
  (['slack', 'pagerduty', 'email'] as const).flatMap((kind) =>
    routesOf(of, kind, setUp).map((target) => `${kind} ${target}`),
  );
const as = (...places: string[]): Reachable => ({ ...ann, as: places });
const inSlack = (...places: string[]): Reachable => ({ ...ann, slack: linked, as: places });
const mail = 'email user:ann@example.com';
const message = 'slack user:ann@example.com';

test.each<[string, Told, SetUp, string[]]>([
  ['a channel is told as a place', told([finance], [inSlack('#finance')]), all, ['slack #finance']],
  ['who is in Slack is told there', told([manager], [inSlack('role:manager')]), all, [message]],
  ['who is not gets a mail', told([manager], [as('role:manager')]), all, [mail]],
  [
    'without Slack everybody gets a mail',
    told([finance], [inSlack('#finance')]),
    { slack: false, email: true },
    [mail],
  ],
  [
    'for a channel that failed those who may vote there get a mail',
    told([finance], [inSlack('#finance')], [['slack', '#finance']]),
    all,
    ['slack #finance', mail],
  ],
  [
    'and without mail, or when that failed, a message of their own',
    told(
      [finance],
      [inSlack('#finance')],
      [
        ['slack', '#finance'],
        ['email', 'user:ann@example.com'],
      ],
    ),
    all,
    ['slack #finance', message],
  ],
  [
    'for a pager that failed people are told where they are',
    told([airline], [inSlack('pagerduty:airline')], [['pagerduty', 'pagerduty:airline']]),
    { slack: true, email: false },
    [message, 'pagerduty pagerduty:airline'],
  ],
  [
    'who is told by name needs no second word because a place failed',
    told(
      [airline, manager],
      [inSlack('pagerduty:airline', 'role:manager')],
      [['pagerduty', 'pagerduty:airline']],
    ),
    all,
    [message, 'pagerduty pagerduty:airline'],
  ],
  [
    'whoever Slack could not tell gets a mail',
    told([manager], [inSlack('role:manager')], [['slack', 'user:Ann@example.com']]),
    all,
    [mail],
  ],
  [
    'where all ways have failed, that is the end',
    told(
      [manager],
      [inSlack('role:manager')],
      [
        ['slack', 'user:ann@example.com'],
        ['email', 'user:ann@example.com'],
      ],
    ),
    all,
    [],
  ],
])('%s', (_, of, setUp, expected) => {
  expect(routes(of, setUp)).toEqual(expected);
});

test('what stands somewhere and could not be changed there is not sent elsewhere', () => {
  const one = told([finance], [as('#finance')], [['slack', '#finance']]);
  const failed = one.failed.map((failure) => ({ ...failure, about_type: 'approval.voted' }));
  expect(routes({ ...one, failed })).toEqual(['slack #finance']);
});

test('nobody is paged after the end', () => {
  expect(routesOf(endedOf(told([airline], [])), 'pagerduty', all)).toEqual([]);
});

test('who the people are is asked only where they are told', () => {
  expect(isPeopleWanted(['#finance', 'pagerduty:airline'], [], all)).toBe(false);
  expect(isPeopleWanted(['#finance'], [], { slack: false, email: true })).toBe(true);
  expect(isPeopleWanted(['role:manager'], [], all)).toBe(true);
  const { failed } = told([finance], [], [['slack', '#finance']]);
  expect(isPeopleWanted(['#finance'], failed, all)).toBe(true);
});

test('who is told in the stead of a place knows which', () => {
  const failed: [string, string][] = [['pagerduty', 'pagerduty:airline']];
  const targets = (person: Reachable) =>
    lostFor(person, told([airline, manager], [person], failed)).map(({ target }) => target);
  expect(targets(as('pagerduty:airline'))).toEqual(['pagerduty:airline']);
  expect(targets(as('pagerduty:airline', 'role:manager'))).toEqual([]);
});

test('whom no channel tells is known, with what to do about it', () => {
  const slackAlone = { slack: true, email: false };
  const nobody = [as('role:manager', '#finance', 'pagerduty:airline')];
  const asked = [finance, manager, airline];
  expect(untoldOf(told(asked, nobody), all)).toEqual([]);
  expect(untoldOf(told(asked, nobody), slackAlone)).toEqual(['role:manager']);
  expect(untoldOf(told(asked, [...nobody, inSlack('role:manager')]), slackAlone)).toEqual([]);
  const pagerAlone = { slack: false, email: false };
  expect(untoldOf(told(asked, nobody), pagerAlone)).toEqual(['#finance', 'role:manager']);
  expect(untoldText(['role:manager'], slackAlone)).toContain('link them, or set up email');
  expect(untoldText(['role:manager'], pagerAlone)).toContain('neither Slack nor email');
});
