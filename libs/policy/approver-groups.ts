import { approverText } from '@placet/events';
import { isMap } from 'yaml';
import { readListedApprover } from './approver-list.ts';
import { type Field, readFields } from './fields.ts';
import { groupGrammar } from './grammar.ts';
import { approversMax } from './limits.ts';
import { quote } from './problems.ts';
import { readItems } from './readers.ts';
import type { Approver } from './types.ts';
import type { Node, Source } from './yaml.ts';

/** Any of those who stand in it. */
type Place = Approver[];
/** Each of its places is taken by another person. */
export type Way = Place[];

type Group = { kind: 'any' | 'all'; field: Field };

/** What stands in a list, and where. Of those that are known by something each stands there once. */
type Listed<T> = { value: T; known?: { by: string; called: string }; item: Node; path: string };

/** What a group makes of one of its items, with that of the groups that are part of it. */
type Take<T> = (found: Approver | Group, item: Node, path: string) => Listed<T>[];

const twoOfThem = ': where two of them are needed, write "quorum: 2"';
const tooDeep =
  'an "all" within an "any" within an "all" is too deep: write each way out, as { any: [{ all: […] }, { all: […] }] }';

/** Reads groups of approvers into the ways in which they can be met. */
export const approverGroups = (source: Source) => {
  // Aliases can repeat a group, even within itself: what is looked at has to be bounded.
  let left = 2 * approversMax;

  const readItem = (item: Node, path: string): Approver | Group | undefined => {
    left -= 1;
    const node = left < 0 ? undefined : source.resolve(item, path);
    if (!node) return undefined;
    if (!isMap(node)) return readListedApprover(source, node, path, 'approvers');
    const fields = readFields(source, node, groupGrammar, path);
    const [ofAny, ofAll] = [fields.get('any'), fields.get('all')];
    if (ofAny && !ofAll) return { kind: 'any', field: ofAny };
    if (ofAll && !ofAny) return { kind: 'all', field: ofAll };
    const example = '{ all: ["role:manager", "role:security"] }';
    source.problem(node, path, `approvers: a group has either any or all, as ${example}`);
    return undefined;
  };

  const takeFrom = <T>(field: Field, take: Take<T>): Listed<T>[] =>
    readItems(source, field, 'approvers', { min: 1, max: approversMax, example: '["#approvals"]' }).flatMap(
      (item, n) => {
        const path = `${field.path}[${n}]`;
        const found = readItem(item, path);
        return found ? take(found, item, path) : [];
      },
    );

  const takeWays: Take<Way> = (found, item, path) => {
    switch (found.kind) {
      case 'any':
        return takeFrom(found.field, takeWays);
      case 'all': {
        const way = distinct(source, takeFrom(found.field, takePlaces), twoOfThem);
        return [{ value: way, known: { by: keyOf(way), called: 'the same group' }, item, path }];
      }
      default:
        return [listed([[found]], found, item, path)];
    }
  };

  const takePlaces: Take<Place> = (found, item, path) => {
    switch (found.kind) {
      case 'any': {
        const place = distinct(source, takeFrom(found.field, takeOne));
        // The same people in two places are two of them, and nothing else says that of a part of a group.
        return [{ value: place, item, path }];
      }
      case 'all':
        return takeFrom(found.field, takePlaces);
      default:
        return [listed([found], found, item, path)];
    }
  };

  const takeOne: Take<Approver> = (found, item, path) => {
    switch (found.kind) {
      case 'any':
        return takeFrom(found.field, takeOne);
      case 'all':
        source.problem(item, path, `approvers: ${tooDeep}`);
        return [];
      default:
        return [listed(found, found, item, path)];
    }
  };

  return {
    ofList: (field: Field): Way[] => distinct(source, takeFrom(field, takeWays)),
    ofItem: (item: Node, path: string): Way[] => {
      const found = readItem(item, path);
      return found ? distinct(source, takeWays(found, item, path)) : [];
    },
    tooMany: () => left < 0,
  };
};

const distinct = <T>(source: Source, listed: readonly Listed<T>[], hint = ''): T[] => {
  const seen = new Set<string>();
  return listed.flatMap(({ value, known, item, path }) => {
    if (known && seen.has(known.by)) {
      source.problem(item, path, `approvers: ${known.called} is listed twice${hint}`);
      return [];
    }
    if (known) seen.add(known.by);
    return [value];
  });
};

const listed = <T>(value: T, approver: Approver, item: Node, path: string): Listed<T> => {
  const by = approverText(approver);
  return { value, known: { by, called: quote(by) }, item, path };
};

/** The same for the same people in another order. */
const keyOf = (way: Way): string =>
  JSON.stringify(way.map((place) => JSON.stringify(place.map(approverText).toSorted())).toSorted());
