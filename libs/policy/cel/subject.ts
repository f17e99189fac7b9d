import { type CelInput, celList, celMap, parse, plan } from '@bufbuild/cel';
import type { ActionFacts } from '../facts.ts';

import { environment } from './environment.ts';

/** Of a policy, by their names. */
export type Lists = Readonly<Record<string, readonly (string | number | boolean)[]>>;

/** A request as conditions see it, made once for all of them. */
export type Subject = {
  now: Date;
  bindings(lists: Lists): Record<string, CelInput>;
  /** What the agent told under a name. */
  told(name: string): unknown;
  /** The length of the longest list or map in it. */
  longest(): number;
};

const moment = plan(environment, parse('timestamp(text)'));

export function subjectOf(facts: ActionFacts): Subject {
  let made: { parts: Record<string, CelInput>; longest: number } | undefined;
  const byLists = new Map<Lists, Record<string, CelInput>>();
  const once = () => {
    if (made) return made;
    const sizes = { longest: 0 };
    const parts = {
      payload: converted(facts.payload, sizes),
      agent: celMap(new Map(Object.entries({ id: facts.agent.name, owner: facts.agent.owner }))),
      action: celMap(new Map([['name', facts.action]])),
      context: converted({ tags: [], ...facts.context }, sizes),
    };
    made = { parts, longest: sizes.longest };
    return made;
  };
  const boundTo = (lists: Lists) => {
    const known = byLists.get(lists);
    if (known) return known;
    const bindings = {
      ...once().parts,
      lists: converted(lists, { longest: 0 }),
      // Few conditions ask for it.
      get now() {
        return moment({ text: facts.now.toISOString() }) as CelInput;
      },
    };
    byLists.set(lists, bindings);
    return bindings;
  };
  return {
    now: facts.now,
    bindings: boundTo,
    told: (name) => (Object.hasOwn(facts.context, name) ? facts.context[name] : undefined),
    longest: () => once().longest,
  };
}

/** All of it, once: given as it is, each part would be converted again each time that a condition names it. */
function converted(value: unknown, sizes: { longest: number }): CelInput {
  if (typeof value !== 'object' || value === null) return value as CelInput;
  if (Array.isArray(value)) {
    sizes.longest = Math.max(sizes.longest, value.length);
    return celList(value.map((part) => converted(part, sizes)));
  }
  const entries = Object.entries(value);
  sizes.longest = Math.max(sizes.longest, entries.length);
  return celMap(new Map(entries.map(([key, part]) => [key, converted(part, sizes)])));
}
