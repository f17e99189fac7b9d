import { type PolicyText, policyKey, policyScope } from '@placet/events';
import { digestOfText } from '@placet/proof';
import { type CompiledLayer, compileLayer } from './compile.ts';
import { parsePolicy } from './parse.ts';
import { formatProblems } from './problems.ts';
import type { BrokenLayer, IncludedSet } from './types.ts';

/** A value of the configuration: the text of a scope, or why it cannot be trusted. */
export type PolicyEntry = { key: string; revision: number } & (
  | { status: 'valid'; value: PolicyText }
  | { status: 'forged'; problem: string }
);

/** The policies in force, compiled once a change. */
export type Layers = {
  take(entry: PolicyEntry): void;
  /** The guardrail, then the agent's own policy or else the default, then the one that the caller asks for. */
  forRequest(request: { agent: string; policy?: string | undefined }): CompiledLayer[];
  of(scope: string): CompiledLayer | undefined;
  /** Those that cannot be used, and deny, as far as they are compiled. */
  broken(): BrokenLayer[];
  /** Compiles one of those whose sets have changed; false when none is left. Whoever is asked for is compiled at once. */
  compileNext(): boolean;
  /** The same as they are now, with other entries, which these do not take. */
  with(...entries: PolicyEntry[]): Layers;
};

const setPrefix = 'set:';
export const setOf = (scope: string): string | null =>
  scope.startsWith(setPrefix) ? scope.slice(setPrefix.length) : null;

export function createLayers(entries: Iterable<PolicyEntry>): Layers {
  const known = new Map<string, PolicyEntry>();
  for (const entry of entries) keep(known, entry);
  const compiled = new Map<string, CompiledLayer>();
  for (const key of known.keys()) compileInto(compiled, key, known);
  return layersOf({ known, compiled, stale: new Set() });
}

type Held = {
  known: Map<string, PolicyEntry>;
  compiled: Map<string, CompiledLayer>;
  /** What is compiled with sets as they were. */
  stale: Set<string>;
};

function layersOf({ known, compiled, stale }: Held): Layers {
  const current = (key: string): CompiledLayer | undefined => {
    if (stale.delete(key)) compileInto(compiled, key, known);
    return compiled.get(key);
  };
  return {
    take(entry) {
      keep(known, entry);
      const { key } = entry;
      if (setOf(policyScope(key)) === null) {
        stale.delete(key);
        compileInto(compiled, key, known);
      }
      // Whoever includes a set means it as it is now. They may be many, and each takes a while.
      else for (const user of usersOf(policyScope(key), compiled)) stale.add(user);
    },
    forRequest({ agent, policy }) {
      const own = current(policyKey(`agent:${agent}`)) ?? current('default');
      const layers = [current('guardrail'), own];
      if (policy !== undefined) layers.push(current(policyKey(`named:${policy}`)) ?? missing(policy));
      return layers.filter((layer) => layer !== undefined);
    },
    of: (scope) => current(policyKey(scope)),
    broken: () =>
      [...compiled].flatMap(([key, layer]) => ('broken' in layer && !stale.has(key) ? [layer] : [])),
    compileNext() {
      const [next] = stale;
      if (next !== undefined) current(next);
      return stale.size > 0;
    },
    with(...entries) {
      const others = layersOf({ known: new Map(known), compiled: new Map(compiled), stale: new Set(stale) });
      for (const entry of entries) others.take(entry);
      return others;
    },
  };
}

function keep(known: Map<string, PolicyEntry>, entry: PolicyEntry): void {
  if (entry.status === 'valid' && entry.value.removed) known.delete(entry.key);
  else known.set(entry.key, entry);
}

/** One that cannot be used may be waiting for this set. */
function usersOf(scope: string, compiled: ReadonlyMap<string, CompiledLayer>): string[] {
  return [...compiled].flatMap(([key, layer]) =>
    'broken' in layer || layer.included.some((set) => set.scope === scope) ? [key] : [],
  );
}

function compileInto(
  compiled: Map<string, CompiledLayer>,
  key: string,
  known: ReadonlyMap<string, PolicyEntry>,
): void {
  if (setOf(policyScope(key)) !== null) return;
  const entry = known.get(key);
  if (entry) compiled.set(key, layerOf(entry, known));
  else compiled.delete(key);
}

function layerOf(entry: PolicyEntry, known: ReadonlyMap<string, PolicyEntry>): CompiledLayer {
  const scope = policyScope(entry.key);
  const { revision } = entry;
  const broken = (why: string) => compileLayer({ scope, digest: null, revision, broken: why });
  if (entry.status === 'forged') return broken(entry.problem);
  const { text, digest } = entry.value;
  if (digestOfText(text) !== digest) return broken('its text is not the one that its digest names');
  const sets = trustedSets(known);
  const texts = new Map([...sets].map(([name, { value }]) => [name, value.text]));
  const parsed = parsePolicy(text, { isAccepted: true, sets: texts });
  if (!parsed.ok) return broken(formatProblems(parsed.problems));
  const included = parsed.policy.includes.flatMap((name): IncludedSet[] => {
    const set = sets.get(name);
    return set ? [{ scope: set.value.scope, digest: set.value.digest, revision: set.revision }] : [];
  });
  return compileLayer({ scope, digest, revision, policy: parsed.policy, included });
}

/** One that cannot be trusted is not there, and a policy that includes it cannot be used. */
function trustedSets(known: ReadonlyMap<string, PolicyEntry>) {
  const sets = new Map<string, Extract<PolicyEntry, { status: 'valid' }>>();
  for (const entry of known.values()) {
    const name = setOf(policyScope(entry.key));
    if (name === null || entry.status === 'forged') continue;
    if (digestOfText(entry.value.text) === entry.value.digest) sets.set(name, entry);
  }
  return sets;
}

/** A caller that names a policy means to be held to it: one that does not exist denies. */
function missing(name: string): CompiledLayer {
  return compileLayer({
    scope: `named:${name}`,
    digest: null,
    revision: 0,
    broken: 'there is no such policy',
  });
}
