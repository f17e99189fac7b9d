import { type PolicyText, policyKey, policyScope } from '@placet/events';
import { type CompiledLayer, compileLayer, formatProblems, parsePolicy } from '@placet/policy';
import { digestOfText } from '@placet/proof';
import type { ConfigEntry, ConfigStore } from '@placet/runtime';

/** The policies in force, compiled once a change. */
export type Layers = { forRequest(request: { agent: string; policy?: string | undefined }): CompiledLayer[] };

export function followLayers(store: ConfigStore<PolicyText>): Layers {
  const compiled = new Map<string, CompiledLayer>();
  const take = (entry: ConfigEntry<PolicyText>) => {
    if (entry.status === 'valid' && entry.value.removed) compiled.delete(entry.key);
    else compiled.set(entry.key, layerOf(entry));
  };
  for (const entry of store.all()) take(entry);
  store.onChange(take);

  return {
    /** The guardrail, then the agent's own policy or else the default, then the one that the caller asks for. */
    forRequest({ agent, policy }) {
      const own = compiled.get(policyKey(`agent:${agent}`)) ?? compiled.get('default');
      const layers = [compiled.get('guardrail'), own];
      if (policy !== undefined) layers.push(compiled.get(policyKey(`named:${policy}`)) ?? missing(policy));
      return layers.filter((layer) => layer !== undefined);
    },
  };
}

function layerOf(entry: ConfigEntry<PolicyText>): CompiledLayer {
  const scope = policyScope(entry.key);
  const broken = (why: string) =>
    compileLayer({ scope, digest: null, revision: entry.revision, broken: why });
  if (entry.status === 'forged') return broken(entry.problem);
  const { text, digest } = entry.value;
  if (digestOfText(text) !== digest) return broken('its text is not the one that its digest names');
  const parsed = parsePolicy(text, { isAccepted: true });
  if (!parsed.ok) return broken(formatProblems(parsed.problems));
  return compileLayer({ scope, digest, revision: entry.revision, policy: parsed.policy });
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
