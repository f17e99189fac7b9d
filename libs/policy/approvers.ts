import { approverText } from '@placet/events';
import { isMap, isSeq } from 'yaml';
import { approverGroups, type Way } from './approver-groups.ts';
import type { Field } from './fields.ts';
import { approversMax, placesMax, waysMax } from './limits.ts';
import { oneOf } from './problems.ts';
import type { Approver, Asked, Decide } from './types.ts';
import type { Source } from './yaml.ts';

/** Whom a rule asks, in one form, however its groups are written. */
export const readApprovers = (
  source: Source,
  field: Field | undefined,
  decides: readonly Decide[],
): Asked => {
  if (!field) return { approvers: [] };
  if (decides.length > 0 && !decides.includes('require_approval')) {
    source.problem(
      field.key,
      field.path,
      `approvers: only a rule that decides require_approval has approvers, this one decides ${oneOf(decides)}`,
    );
  }
  const node = source.resolve(field.value, field.path);
  if (!node) return { approvers: [] };
  const problem = (message: string) => source.problem(node, field.path, `approvers: ${message}`);
  if (isSeq(node) && node.items.length === 0) {
    // Its writer may have meant "nobody", and we would read "any approver".
    problem('the list is empty; leave approvers out to let any person with the role approver decide');
    return { approvers: [] };
  }
  const groups = approverGroups(source);
  const written = isMap(node) ? groups.ofItem(node, field.path) : groups.ofList(field);
  const all = written.flat(2);
  if (groups.tooMany() || all.length > approversMax)
    problem(`at most ${approversMax} approvers, with those of its groups`);
  const ways = together(written);
  if (ways.length > waysMax) problem(`at most ${waysMax} ways to be met, found ${ways.length}`);
  const places = Math.max(...ways.map((way) => way.length));
  if (places > placesMax) problem(`at most ${placesMax} people for one way, found ${places}`);
  const approvers = distinct(all);
  if (places <= 1) return { approvers };
  return { approvers, ways: ways.map((way) => way.map((place) => place.map(approverText))) };
};

const needsOne = (way: Way): boolean => way.length === 1;

/** Ways for which one person is enough are one way together. */
const together = (ways: readonly Way[]): Way[] => {
  const first = ways.findIndex(needsOne);
  const anyOf = distinct(ways.filter(needsOne).flat(2));
  return ways.flatMap((way, n): Way[] => {
    if (!needsOne(way)) return [way];
    return n === first ? [[anyOf]] : [];
  });
};

const distinct = (approvers: readonly Approver[]): Approver[] => [
  ...new Map(approvers.map((approver) => [approverText(approver), approver])).values(),
];
