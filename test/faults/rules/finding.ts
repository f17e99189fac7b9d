export type Violation = { action: string | null; what: string };

/** What a rule was held against, by counts, and where it did not hold. */
export type Finding = { rule: string; checked: Record<string, number>; violations: Violation[] };

export type Examination = Finding & {
  count(what: string, number?: number): void;
  violated(action: string | null, what: string): void;
};

/** Each kind of thing is named from the start, so that a rule that had nothing to look at shows it. */
export function examination(rule: string, kinds: readonly string[]): Examination {
  const checked: Record<string, number> = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  const violations: Violation[] = [];
  return {
    rule,
    checked,
    violations,
    count(what, number = 1) {
      checked[what] = (checked[what] ?? 0) + number;
    },
    violated: (action, what) => void violations.push({ action, what }),
  };
}
