import type { Rule } from './types.ts';

/** What a rule without a name of its own is called. */
export const unnamed = (action: string): string => `rule for ${action}`;

/** A rule within a sentence. */
export const named = ({ name, action, set }: Rule): string =>
  (name === unnamed(action) ? `the ${name}` : `the rule "${name}"`) + from(set);

/** The reason of a rule that gives none. */
export const matched = ({ name, action, set }: Rule): string =>
  (name === unnamed(action) ? `matched ${name}` : `matched rule "${name}"`) + from(set);

const from = (set: string | undefined): string => (set === undefined ? '' : ` of the set ${set}`);
