import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { OutcomeStore, Selection } from '../store.ts';
import { heldFor, inOrder } from './deliveries.ts';
import { actionId, at, decided } from './events.ts';
import { openInDirectory } from './places.ts';

const actions = 300;

/** A store with open and decided actions, and how SQLite goes about what is asked of it. */
async function filled(): Promise<{
  store: OutcomeStore;
  plansOf(work: () => Promise<unknown>): Promise<string[]>;
}> {
  const { store, path, drop } = await openInDirectory();
  onTestFinished(drop);
  const held = Array.from({ length: actions }, (_, n) => {
    const of = { action: n, agent: `agent-${n % 3}`, now: at(n * 100), case: `case ${n % 9}` };
    return [...heldFor(of, `role-${n % 4}`, 'all'), ...(n % 5 ? [decided(of)] : [])];
  });
  const messages = inOrder(...held.flat());
  await store.apply(messages, { stream: 'the stream', seq: messages.length });
  const reader = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => reader.close());

  async function plansOf(work: () => Promise<unknown>): Promise<string[]> {
    const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
    await work();
    const texts = prepare.mock.calls.map(([sql]) => sql);
    prepare.mockRestore();
    expect(texts.length).toBeGreaterThan(0);
    return texts.flatMap((sql) =>
      reader
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail)),
    );
  }
  return { store, plansOf };
}

const audience = ['role:role-0', 'role:role-1', 'user:ann@example.com'];
const selections: Selection[] = [
  { status: 'pending', audience: null },
  { status: 'pending', audience },
  { status: 'decided', audience },
  { status: 'all', audience },
  { status: 'pending', audience, agent: 'agent-1' },
  { status: 'all', audience: null, agent: 'agent-1' },
  { status: 'decided', audience, until: at(9000) },
  { status: 'all', audience, agent: 'agent-1', until: at(9000) },
];

const ofAll = /PRIMARY KEY \(key=\? AND open=\? AND requested_seq</;
const ofAgent = /audience_agent \(key=\? AND agent=\? AND open=\? AND requested_seq</;

test.each(selections)('an index has what is listed and counted, in its order: %j', async (selection) => {
  const { store, plansOf } = await filled();
  const list = await plansOf(() => store.list({ ...selection, before: 700, limit: 50 }));
  const count = await plansOf(() => store.count(selection, 10_000));
  for (const plan of [list, count]) {
    const read = plan.filter((line) => /^(SEARCH|SCAN)/.test(line));
    expect(read.length).toBeGreaterThan(0);
    expect(plan.join('\n')).not.toContain('TEMP B-TREE');
    // What is scanned is the rows that the searches inside have found.
    expect(read.filter((line) => !/^SEARCH|^SCAN \(subquery/.test(line))).toEqual([]);
    const lists = read.filter((line) => /audience (?!.*audience_time)/.test(line));
    expect(lists.length).toBeGreaterThan(0);
    for (const line of lists) expect(line).toMatch(selection.agent ? ofAgent : ofAll);
  }
});

test('an index has what is due, what is owed and what is of a case, in its order', async () => {
  const { store, plansOf } = await filled();
  const plans = await plansOf(async () => {
    await store.due(at(9999), at(9999), 10);
    await store.owed(at(9999), 10);
    await store.ofCase('case 3', { limit: 10 });
    await store.lastOfCase('case 3', 10);
    await store.lastHeldOfCase('case 3', 10);
  });
  const read = plans.filter((line) => !line.startsWith('SEARCH events'));
  expect(
    read.map((line) => /(SEARCH|SCAN) actions USING (?:COVERING )?INDEX (\w+)/.exec(line)?.slice(1)),
  ).toEqual([
    ['SEARCH', 'open_due'],
    ['SEARCH', 'unjudged'],
    ['SEARCH', 'owed'],
    ['SEARCH', 'of_case'],
    ['SEARCH', 'of_case'],
    ['SEARCH', 'held_of_case'],
  ]);
});

test('an action that the policy decides alone has a row, its events, and nothing in the lists', async () => {
  const { store, path, drop } = await openInDirectory();
  onTestFinished(drop);
  const automatic = decided({ held: false });
  await store.apply(inOrder(heldFor({ action: 1 })[0] ?? automatic, automatic), { stream: 's', seq: 2 });
  const reader = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => reader.close());
  expect(reader.prepare('SELECT count(*) AS n FROM audience').get()).toEqual({ n: 0 });
  expect((await store.get(actionId()))?.events).toHaveLength(2);
});
