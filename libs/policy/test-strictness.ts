import { severities } from '@placet/events';
import { expect } from 'vitest';
import { useId } from './counters.ts';
import { isWithin, overlap } from './paths.ts';
import { severity } from './test-judging.ts';
import type { Verdict } from './types.ts';

const reasons = ['never', 'on_reject', 'always'];
const people = ({ scope: _scope, rule: _rule, ...asked }: Verdict['demands'][number]) =>
  JSON.stringify(asked);

/** Nobody is shown more. */
const expectNoMoreShown = (strong: Verdict, weak: Verdict): void => {
  for (const path of weak.redact) {
    expect(strong.redact).toContain(path);
    for (const role of strong.redactExcept[path] ?? []) expect(weak.redactExcept[path]).toContain(role);
  }
};

/** Everybody hears of it who did, nobody changes more, and no choice that denied allows. */
const expectAskedNoLess = (strong: Verdict['settings'], weak: Verdict['settings']): void => {
  for (const share of weak.remind ?? []) expect(strong.remind).toContain(share);
  for (const one of weak.inform ?? []) expect(strong.inform).toContainEqual(one);
  for (const path of strong.editable ?? [])
    expect((weak.editable ?? []).some((other) => isWithin(path, other))).toBe(true);
  for (const { name, means } of weak.choices ?? []) {
    const found = (strong.choices ?? []).filter((choice) => choice.name === name);
    expect(found).toHaveLength(1);
    if (means === 'deny') expect(found).toEqual([{ name, means }]);
  }
  if (weak.onlyIn) {
    const isInboxAlone = strong.onlyIn?.join() === 'inbox';
    if (!isInboxAlone)
      for (const channel of strong.onlyIn ?? ['anywhere']) expect(weak.onlyIn).toContain(channel);
  }
  expect(severities.indexOf(strong.severity ?? 'info')).toBeGreaterThanOrEqual(
    severities.indexOf(weak.severity ?? 'info'),
  );
};

/** Nobody is asked less, for longer, or in more than one of them would allow. */
export const expectNotWeaker = (strong: Verdict, weak: Verdict): void => {
  expect(severity(strong.decide)).toBeGreaterThanOrEqual(severity(weak.decide));
  expectNoMoreShown(strong, weak);
  for (const path of strong.settings.editable ?? [])
    expect(strong.redact.filter((hidden) => overlap(hidden, path))).toEqual([]);
  if (strong.decide !== weak.decide) return;
  const [one, other] = [strong.settings, weak.settings];
  const endless = Number.POSITIVE_INFINITY;
  // Where nobody's vote is needed in the end, less time is less say.
  if (one.onTimeout === 'allow') expect(one.timeoutMs).toBeGreaterThanOrEqual(other.timeoutMs ?? endless);
  else if (other.onTimeout !== 'allow')
    expect(one.timeoutMs ?? endless).toBeLessThanOrEqual(other.timeoutMs ?? endless);
  expect(one.validForMs ?? endless).toBeLessThanOrEqual(other.validForMs ?? endless);
  expect(reasons.indexOf(one.requireReason ?? 'never')).toBeGreaterThanOrEqual(
    reasons.indexOf(other.requireReason ?? 'never'),
  );
  if (other.onTimeout !== 'allow') expect(one.onTimeout).not.toBe('allow');
  expectAskedNoLess(one, other);
  const asked = strong.demands.map(people);
  for (const demand of weak.demands) expect(asked).toContain(people(demand));
  const used = strong.uses.map(useId);
  for (const use of weak.uses) expect(used).toContain(useId(use));
};
