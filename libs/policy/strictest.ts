import { severities, type VoteChannel } from '@placet/events';
import { informedText } from './inform.ts';
import { isWithin, overlap } from './paths.ts';
import type { Choice, Decide, RuleSettings, Verdict, VerdictSettings } from './types.ts';

type All = readonly RuleSettings[];

/** Of all that decide the same the strictest. How people are asked goes with a verdict that asks them. */
export const settingsOf = (decide: Decide, all: All, hidden: readonly string[]): VerdictSettings => ({
  ...timesOf(all),
  ...(decide === 'require_approval' ? askingOf(all, hidden) : {}),
});

/**
 * What any of them hides is hidden, whatever it decides. A role is shown what stands there where every one that hides
 * the same path says so.
 */
export const hiddenBy = (all: All): Pick<Verdict, 'redact' | 'redactExcept'> => {
  const redact = [...new Set(all.flatMap((one) => one.redact ?? []))];
  const excepted = redact.flatMap((path): [string, string[]][] => {
    const hiding = all.filter((one) => one.redact?.includes(path));
    const roles = common(hiding.map((one) => one.redactExcept?.[path] ?? []));
    return roles.length > 0 ? [[path, roles]] : [];
  });
  return { redact, redactExcept: Object.fromEntries(excepted) };
};

const common = ([first = [], ...others]: readonly (readonly string[])[]): string[] =>
  first.filter((role) => others.every((roles) => roles.includes(role)));

const wantsReason = ['always', 'on_reject', 'never'] as const;

const given = (values: readonly (number | undefined)[]) => values.filter((value) => value !== undefined);
const least = (values: readonly (number | undefined)[]) =>
  given(values).length === 0 ? undefined : Math.min(...given(values));
const most = (values: readonly (number | undefined)[]) =>
  given(values).length === 0 ? undefined : Math.max(...given(values));

const timesOf = (all: All): VerdictSettings => {
  // Every one of those that ask has to say so, and then it is people who lose by a shorter time.
  const onTimeout = all.length > 0 && all.every((one) => one.onTimeout === 'allow') ? 'allow' : 'deny';
  const timeouts = all.map((one) => one.timeoutMs);
  const timeoutMs = onTimeout === 'allow' ? most(timeouts) : least(timeouts);
  const validForMs = least(all.map((one) => one.validForMs));
  const requireReason = wantsReason.find((one) => all.some((settings) => settings.requireReason === one));
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(validForMs === undefined ? {} : { validForMs }),
    onTimeout,
    ...(requireReason === undefined ? {} : { requireReason }),
  };
};

const askingOf = (all: All, hidden: readonly string[]): VerdictSettings => {
  const remind = [...new Set(all.flatMap((one) => one.remind ?? []))].toSorted((a, b) => a - b);
  const informed = all.flatMap((one) => one.inform ?? []);
  const inform = [...new Map(informed.map((one) => [informedText(one), one])).values()];
  // What one layer hides no other hands out to be changed.
  const editable = editableByAll(all).filter((path) => !hidden.some((other) => overlap(path, other)));
  const choices = choicesOfAny(all);
  const onlyIn = channelsOfAll(all);
  const severity = severities.findLast((one) => all.some((settings) => settings.severity === one));
  return {
    ...(remind.length > 0 && { remind }),
    ...(inform.length > 0 && { inform }),
    ...(editable.length > 0 && { editable }),
    ...(choices.length > 0 && { choices }),
    ...(onlyIn === undefined ? {} : { onlyIn }),
    ...(severity === undefined ? {} : { severity }),
  };
};

/** Where all of them let people vote. Where that is nowhere, it is where people sign in to Placet itself. */
const channelsOfAll = (all: All): VoteChannel[] | undefined => {
  const [first, ...others] = all.flatMap(({ onlyIn }) => (onlyIn ? [onlyIn] : []));
  if (!first) return undefined;
  const shared = first.filter((channel) => others.every((channels) => channels.includes(channel)));
  return shared.length > 0 ? shared : ['inbox'];
};

/** What every one of them lets be changed; of a part and the whole the part. */
const editableByAll = (all: All): string[] => {
  const [first = [], ...others] = all.map((one) => one.editable ?? []);
  const shared = others.reduce(
    (paths, more) =>
      distinct(
        paths.flatMap((path) =>
          more.flatMap((other) => {
            if (isWithin(path, other)) return [path];
            return isWithin(other, path) ? [other] : [];
          }),
        ),
      ),
    first,
  );
  return distinct(shared);
};

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

/** One that means both to different layers means deny. */
const choicesOfAny = (all: All): Choice[] => {
  const found = new Map<string, Choice>();
  for (const choice of all.flatMap((one) => one.choices ?? [])) {
    if (found.get(choice.name)?.means !== 'deny') found.set(choice.name, choice);
  }
  return [...found.values()];
};
