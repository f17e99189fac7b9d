import { CountsAnswer, policyKey, RecordsAnswer, requests } from '@placet/events';
import {
  type ActionFacts,
  type BacktestResult,
  type CounterUse,
  createLayers,
  type Explanation,
  evaluate,
  explain,
  type Layers,
  type PolicyEntry,
  type Refused,
  useId,
} from '@placet/policy';
import { digestOfText } from '@placet/proof';
import { ask, type BusContext, Refusal } from '@placet/runtime';
import type * as z from 'zod';
import { type Judge, type Judged, startJudge } from './judge.ts';
import type { Policies } from './policies.ts';
import { createTurns } from './turns.ts';

export type TriedRequest = { facts: ActionFacts; policy: string | undefined };

/** Of a count, what is used and what this request would use, in the units of its policy. */
export type TriedUse = Pick<CounterUse, 'scope' | 'rule' | 'kind' | 'label'> & {
  /** The value that it is counted by; null where there is one count for all. */
  by: string | null;
  /** When the window ends, and the next begins with nothing. */
  resets_at: string;
  used: number;
  wanted: number;
  max: number;
  status: 'room' | Refused;
};

export type Trial = Explanation & { uses: TriedUse[]; applies: boolean };

export type BacktestQuery = {
  from?: string | undefined;
  until?: string | undefined;
  agent?: string | undefined;
};
export type BacktestLine =
  | { progress: { requests: number; share: number } }
  | { result: BacktestResult & { scope: string; from: string | null; until: string; unreadable: number } };

const pageSize = 500;

export type Trials = ReturnType<typeof createTrials>;

/** What policies would say: nothing is decided by it, nothing counted, and nothing put on the record. */
export function createTrials(context: BusContext, policies: Pick<Policies, 'entries' | 'onChange' | 'read'>) {
  let isBusy = false;
  const inTurn = createTurns();

  const inForce = createLayers(policies.entries());
  policies.onChange(inForce.take);

  /** What would be stored for the scope. It need not keep its tests to be tried. */
  function candidateOf(scope: string, text: string): PolicyEntry {
    policies.read(scope, text, { isAccepted: true });
    const value = { scope, text, digest: digestOfText(text) };
    return { key: policyKey(scope), revision: 0, status: 'valid', value };
  }

  /** The policy service keeps the counts, and it alone may read them. */
  async function readTotals(uses: readonly CounterUse[], at: Date): Promise<(bigint | null)[]> {
    if (uses.length === 0) return [];
    const counts = uses.map((use) => ({ id: useId(use), window_ms: use.perMs }));
    const { totals } = await ask(context, requests.counts, { at: at.toISOString(), counts }, CountsAnswer);
    return uses.map((_, n) => (typeof totals[n] === 'string' ? BigInt(totals[n]) : null));
  }

  function triedUse(
    use: CounterUse,
    at: Date,
    used: bigint | null,
  ): { use: TriedUse; refused: Refused | null } {
    const { scope, rule, kind, label, key, units, max, perMs } = use;
    const end = (Math.floor(at.getTime() / perMs) + 1) * perMs;
    const window = { by: key === '' ? null : key.slice(2), resets_at: new Date(end).toISOString() };
    const scale = kind === 'budget' ? 1e6 : 1;
    const refused = used === null ? 'unreadable' : used + units > max ? 'over' : null;
    const numbers = {
      used: Number(used ?? 0n) / scale,
      wanted: Number(units) / scale,
      max: Number(max) / scale,
    };
    return { use: { scope, rule, kind, label, ...window, ...numbers, status: refused ?? 'room' }, refused };
  }

  async function tryOut(scope: string, applying: Layers, { facts, policy }: TriedRequest): Promise<Trial> {
    const layers = applying.forRequest({ agent: facts.agent.name, policy });
    const uses: TriedUse[] = [];
    const seen = new Map<string, Refused>();
    const wanted = evaluate(layers, facts).uses;
    const totals = await readTotals(wanted, facts.now);
    for (const [n, use] of wanted.entries()) {
      const tried = triedUse(use, facts.now, totals[n] ?? null);
      uses.push(tried.use);
      if (tried.refused) seen.set(useId(use), tried.refused);
    }
    const texts = layers.flatMap((layer) => [
      layer.scope,
      ...('included' in layer ? layer.included.map((set) => set.scope) : []),
    ]);
    return { ...explain(layers, facts, seen), uses, applies: texts.includes(scope) };
  }

  return {
    /** What would be said to this request now, and why; with another text for the scope, if one is given. */
    async evaluate(scope: string, text: string | undefined, request: TriedRequest): Promise<Trial> {
      // What another text takes of memory, it takes once at a time.
      return text === undefined
        ? tryOut(scope, inForce, request)
        : inTurn(async () => tryOut(scope, inForce.with(candidateOf(scope, text)), request));
    },

    /** Judges the requests on the record anew, as the policies are and with another text for the scope. */
    async *backtest(scope: string, text: string, query: BacktestQuery): AsyncGenerator<BacktestLine> {
      const candidate = candidateOf(scope, text);
      if (isBusy) {
        const message = 'This gateway is at a backtest already. Try again when it is done.';
        throw new Refusal('RATE_LIMITED', { message, retryAfterS: 5 });
      }
      const judge = startJudge({ entries: policies.entries(), candidate, scope });
      isBusy = true;
      try {
        yield* run(scope, judge, query);
      } finally {
        isBusy = false;
        await judge.close();
      }
    },
  };

  async function* run(
    scope: string,
    judge: Judge,
    { until = new Date().toISOString(), ...query }: BacktestQuery,
  ): AsyncGenerator<BacktestLine> {
    let from: string | null = null;
    let [all, readable] = [0, 0];
    let judging: Promise<Judged> | undefined;
    for await (const records of pages({ ...query, until })) {
      if (judging) yield progress(await judging);
      all += records.length;
      judging = judge.judge(records);
    }
    if (judging) yield progress(await judging, 1);
    yield { result: { scope, from, until, unreadable: all - readable, ...(await judge.result()) } };

    function progress(judged: Judged, share?: number): BacktestLine {
      readable += judged.readable;
      from ??= judged.first;
      return { progress: { requests: readable, share: share ?? shareOf(from, judged.last, until) } };
    }
  }

  /** The next page is read while one is judged. */
  async function* pages(query: BacktestQuery & { until: string }) {
    const read = (after?: number) =>
      ask(
        context,
        requests.records,
        {
          ...(query.agent === undefined ? {} : { agent: query.agent }),
          ...(query.from === undefined ? {} : { from: query.from }),
          until: query.until,
          type: 'action.requested',
          limit: pageSize,
          ...(after === undefined ? {} : { after }),
        },
        RecordsAnswer,
      );
    for (let next: ReturnType<typeof read> | null = read(); next; ) {
      const { records, next: after }: z.infer<typeof RecordsAnswer> = await next;
      next = after === null ? null : read(after);
      // Awaited when its turn comes, or never, when whoever asked went away.
      next?.catch(() => {});
      yield records;
    }
  }
}

function shareOf(first: string | null, last: string | null, until: string): number {
  if (first === null || last === null) return 0;
  const whole = Date.parse(until) - Date.parse(first);
  return whole <= 0 ? 1 : Math.min(1, (Date.parse(last) - Date.parse(first)) / whole);
}
