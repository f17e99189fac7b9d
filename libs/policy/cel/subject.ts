import { type CelInput, celEnv, parse, plan } from '@bufbuild/cel';
import type { ActionFacts } from '../types.ts';

/** A request as conditions see it, made once for all of them. */
export type Subject = {
  bindings(): Record<string, CelInput>;
  /** What the agent told under a name. */
  told(name: string): unknown;
  /** The length of the longest list or map in it. */
  longest(): number;
};

const moment = plan(celEnv(), parse('timestamp(text)'));

export function subjectOf(facts: ActionFacts): Subject {
  let bindings: Record<string, CelInput> | undefined;
  let longest: number | undefined;
  return {
    bindings() {
      bindings ??= {
        payload: facts.payload as CelInput,
        agent: { id: facts.agent.name, owner: facts.agent.owner },
        action: { name: facts.action },
        context: { tags: [], ...facts.context } as CelInput,
        // Few conditions ask for it.
        get now() {
          return moment({ text: facts.now.toISOString() }) as CelInput;
        },
      };
      return bindings;
    },
    told: (name) => (Object.hasOwn(facts.context, name) ? facts.context[name] : undefined),
    longest() {
      longest ??= Math.max(longestIn(facts.payload), longestIn(facts.context));
      return longest;
    },
  };
}

function longestIn(value: unknown): number {
  let longest = 0;
  const open = [value];
  for (let one = open.pop(); open.length > 0 || one !== undefined; one = open.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const parts = Object.values(one);
    longest = Math.max(longest, parts.length);
    for (const part of parts) if (typeof part === 'object' && part !== null) open.push(part);
  }
  return longest;
}
