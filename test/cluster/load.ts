import type { JetStreamManager } from '@nats-io/jetstream';
import { consumers, type PlacetEvent } from '@placet/events';
import { type Client, eventually, type Reply } from '@placet/testing';
import { expect } from 'vitest';
import { byAction, each, expectRecorded, expectWorkedOff, insist, ofType, type Stored } from './support.ts';

/** One gateway, as an agent and as a person. */
export type Door = { agent: Client; admin: Client };

export const policy = `
version: 1
rules:
  - action: deny.*
    decide: deny
  - action: hold.*
    decide: require_approval
default: allow
`;

export type Item = {
  key: string;
  n: number;
  action: string;
  vote?: 'approve' | 'reject';
  decision: 'allowed' | 'denied';
};

const kinds: Omit<Item, 'key' | 'n'>[] = [
  { action: 'allow.it', decision: 'allowed' },
  { action: 'hold.it', vote: 'approve', decision: 'allowed' },
  { action: 'deny.it', decision: 'denied' },
  { action: 'hold.it', vote: 'reject', decision: 'denied' },
];

/** What agents ask, mixed: a quarter each is allowed, denied, approved and rejected. */
export function* items(name: string, count = Number.POSITIVE_INFINITY): Generator<Item, void> {
  for (let n = 0; n < count; n++) {
    yield { key: `${name}-${n}`, n, ...(kinds[n % kinds.length] as Omit<Item, 'key' | 'n'>) };
  }
}

/** All that was said of an action, and of the vote on it. */
export type Told = { item: Item; answers: Reply['body'][]; voted?: Reply['body'] };

export type Load = {
  told: Told[];
  /** Resolves when so many more have been answered. */
  moreAnswers(count: number): Promise<void>;
  done: Promise<void>;
  /** No new ones; what was begun is finished. */
  stop(): Promise<void>;
};

/**
 * Callers that ask for one thing after another, each until it is answered. Whoever hears 503 or nothing asks again
 * under the same key, at the next gateway. While something else is waited for, nobody gains by more than a few a second:
 * then callers pause between two things.
 */
export function startLoad(
  doors: Door[],
  work: Generator<Item, void>,
  { callers = 16, pauseMs = 0 }: { callers?: number; pauseMs?: number } = {},
): Load {
  const told: Told[] = [];
  let answers = 0;
  const done = each(work, callers, async (item) => {
    const one: Told = { item, answers: [] };
    told.push(one);
    const { action_id } = await ask(doors, one);
    answers++;
    if (item.vote) one.voted = await vote(doors, one, action_id);
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  });
  // Whoever awaits it hears of a failure; until then there may be something else to be waited for.
  done.catch(() => {});
  return {
    told,
    done,
    async moreAnswers(count) {
      const goal = answers + count;
      await Promise.race([done, eventually(() => expect(answers).toBeGreaterThanOrEqual(goal), 50_000)]);
    },
    async stop() {
      work.return();
      await done;
    },
  };
}

const at = (doors: Door[], n: number) => doors[n % doors.length] as Door;

async function ask(doors: Door[], one: Told): Promise<Reply['body']> {
  const { key, n, action } = one.item;
  const body = { action_name: action, payload: { n }, idempotency_key: key };
  const turn = n + one.answers.length;
  const reply = await insist((attempt) => at(doors, turn + attempt).agent.check(body));
  expect(reply).toMatchObject({ status: 200 });
  one.answers.push(reply.body);
  return reply.body;
}

async function vote(doors: Door[], one: Told, id: string): Promise<Reply['body']> {
  const { n, vote, decision } = one.item;
  await eventually(async () => {
    const { body } = await insist((attempt) => at(doors, n + 1 + attempt).agent.answer(id));
    one.answers.push(body);
    expect(body.approval).toBeDefined();
  }, 50_000);
  const reply = await insist((attempt) => at(doors, n + 2 + attempt).admin.vote(id, { vote }));
  expect(reply).toMatchObject({ status: 200, body: { action_id: id, decision } });
  return reply.body;
}

/** Everybody asks once more, under the same key: it is the same action, and what was decided stays so. */
export async function expectToldTheSame(doors: Door[], told: Told[]): Promise<void> {
  const ids = new Set<string>();
  await each(told.values(), 16, async (one) => {
    const last = await eventually(async () => {
      const answer = await ask(doors, one);
      expect(answer.decision).toBe(one.item.decision);
      return answer;
    }, 50_000);
    ids.add(last.action_id);
    expect(new Set(one.answers.map(({ action_id }) => action_id))).toEqual(new Set([last.action_id]));
    for (const answer of one.answers) if (answer.decision !== 'pending') expect(answer).toEqual(last);
    if (one.voted) expect(last).toMatchObject({ decision: one.voted.decision, reason: one.voted.reason });
  });
  expect(ids.size).toBe(told.length);
}

const automatic = ['action.decided', 'action.requested'];
const byPeople = [...automatic, 'approval.closed', 'approval.needed', 'approval.voted'].sort();

/**
 * In the stream, and on the record: each step of each action once, every vote that was confirmed, and nothing that went
 * wrong. `notes` is what else each held action has.
 */
export async function expectOneOfEach(
  jsm: JetStreamManager,
  { admin }: Door,
  told: Told[],
  notes: string[] = [],
): Promise<Map<string, PlacetEvent[]>> {
  await expectWorkedOff(
    jsm,
    notes.length > 0 ? [consumers.policy, consumers.notifierWebhook] : [consumers.policy],
  );
  return eventually(async () => {
    const stored = await expectRecorded(jsm, admin);
    expectQuiet(stored);
    const actions = byAction(stored);
    for (const { item, answers } of told) {
      const events = actions.get(answers[0].action_id) ?? [];
      const types = events.map(({ type }) => type).sort();
      expect({ item, types }).toEqual({
        item,
        types: item.vote ? [...byPeople, ...notes].sort() : automatic,
      });
      const votes = ofType(events, 'approval.voted').map(({ data }) => data.vote);
      expect(votes).toEqual(item.vote ? [item.vote] : []);
    }
    return actions;
  }, 120_000);
}

/**
 * No alarm was raised, and no message is dead. Whom a broker that died was to tell of changes is right to say that it
 * was not told.
 */
export function expectQuiet(stored: Stored[]): void {
  const isExpected = ({ event }: Stored) =>
    event.type === 'alarm.raised' && event.data.kind === 'configuration_missed';
  const said = stored.filter(({ subject }) => subject.startsWith('placet.sys.'));
  expect(said.filter((one) => !isExpected(one))).toEqual([]);
}
