import type { ActionRecord, OutcomeStore, Selection } from '../store.ts';
import type { Histories } from './histories.ts';

const pageSize = 100;
const countMax = 10_000;
const together = 20;

/** Everything that a store can be asked about these actions, as one text. */
export async function dump(store: OutcomeStore, of: Histories): Promise<string> {
  const lists = await inTurn(selectionsOf(of), (selection) => listOf(store, selection));
  const cases = await inTurn(of.cases, (name) => caseOf(store, name));
  const times = [of.end.getTime() - 600_000, of.end.getTime() + 1_800_000, Number.MAX_SAFE_INTEGER / 4096];
  const due = await inTurn(times, async (ms) => {
    const [now, judgedBefore] = [new Date(ms), new Date(Math.min(ms, of.end.getTime()))];
    return {
      due: await store.due(now, judgedBefore, countMax),
      firstDue: await store.due(now, judgedBefore, 3),
      owed: await store.owed(now, countMax),
      firstOwed: await store.owed(now, 3),
    };
  });
  const records: (ActionRecord | null)[] = [];
  for (let from = 0; from < of.actionIds.length; from += together) {
    const ids = of.actionIds.slice(from, from + together);
    records.push(...(await Promise.all(ids.map((id) => store.get(id)))));
  }
  const [open, position] = [await store.countOpen(), await store.position()];
  return JSON.stringify({ lists, cases, due, open, position, records }, null, 1);
}

/** Each of what a list can be asked by, alone and with the others. */
function selectionsOf({ agents, keys, end, messages }: Histories): Selection[] {
  const half = messages[Math.floor(messages.length / 2)];
  const middle = half && 'event' in half ? new Date(half.event.time) : end;
  const [first = '', second = '', ...others] = keys;
  const [agent] = agents;
  return (['pending', 'decided', 'all'] as const).flatMap((status): Selection[] => [
    { status, audience: null },
    { status, audience: [] },
    { status, audience: [first] },
    { status, audience: [first, ...others] },
    { status, audience: null, until: middle },
    { status, audience: null, agent },
    { status, audience: [second, ...others], agent, until: middle },
  ]);
}

async function listOf(store: OutcomeStore, selection: Selection) {
  const pages: unknown[] = [];
  for (let before: number | null | undefined; before !== null; ) {
    const page = await store.list({ ...selection, before, limit: pageSize });
    pages.push(page.records.map(outline), page.before);
    before = page.before;
  }
  const counts = [await store.count(selection, countMax), await store.count(selection, 7)];
  return { selection, counts, pages };
}

async function caseOf(store: OutcomeStore, name: string) {
  const pages: unknown[] = [];
  for (let after: number | null | undefined; after !== null; ) {
    const page = await store.ofCase(name, { after, limit: pageSize });
    pages.push(page.records.map(outline), page.after);
    after = page.after;
  }
  return { name, pages };
}

/** What an action is, is asked of each alone. */
function outline({ actionId, agent, blocked, events }: ActionRecord): string {
  return `${actionId} ${agent} ${blocked} ${events.map(({ seq }) => seq).join(' ')}`;
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
