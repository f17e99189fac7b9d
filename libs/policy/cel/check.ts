import type { parse } from '@bufbuild/cel';
import { listEntriesMax } from '../limits.ts';
import { nearest } from '../nearest.ts';
import { oneOf, quote } from '../problems.ts';
import { nodesMax, patternCharsMax } from './bounds.ts';
import { constantKind, isOpen, type Kind, nounOf, typeNames } from './kinds.ts';
import { applied, compared, computed, equated, signs, type Typed } from './operators.ts';
import { roots } from './roots.ts';

export type Tree = ReturnType<typeof parse>;
type Expr = Tree['expr'];
type Call = Extract<Expr['exprKind'], { case: 'callExpr' }>['value'];
type Walk = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** `at` counts characters of the condition from 0. */
export type Misuse = { at: number; message: string };
export type Checked = {
  misuses: Misuse[];
  /** Whether it goes through lists or maps, whose size is the request's. */
  walks: boolean;
  nodes: number;
  /** What each element of a walk costs: parts, and for `in` of a list what it may hold. */
  walkWeight: number;
  /** The patterns of `matches`, which are compiled when the policy is accepted. */
  patterns: { at: number; pattern: string }[];
};

type Scope = ReadonlyMap<string, Kind>;

const comparisons = new Set(['_<_', '_<=_', '_>_', '_>=_']);
const equalities = new Set(['_==_', '_!=_']);
const isLarge = (root: string) => root === 'payload' || root === 'context';
/** In the scope of every walk. */
const walking = '@walking';
/** In the scope of a walk through what the request brings, which may be as long as it likes. */
const ofRequest = '@request';
const withinWalk =
  'where a list of the request is gone through, only the element itself can be asked, lists of the policy, and single values of agent, action and context: anything else would be gone through for each element';

/** A whole number that is written out. */
function wholeOf({ exprKind }: Expr): bigint | undefined {
  const value = exprKind.case === 'constExpr' ? exprKind.value.constantKind.value : undefined;
  return typeof value === 'bigint' ? value : undefined;
}

/** Whether it is a part of what the agent sent, or what a walk through that has left of it. */
function isOfRequest(one: Expr | undefined): boolean {
  const { exprKind } = one ?? {};
  switch (exprKind?.case) {
    case 'identExpr':
      return isLarge(exprKind.value.name);
    case 'selectExpr':
      return isOfRequest(exprKind.value.operand);
    case 'callExpr':
      return isOfRequest(exprKind.value.target ?? exprKind.value.args[0]);
    case 'comprehensionExpr':
      return isOfRequest(exprKind.value.iterRange);
    // An element of what is written out here may be a part of the request.
    case 'listExpr':
      return exprKind.value.elements.some(isOfRequest);
    case 'structExpr':
      return exprKind.value.entries.some(({ value }) => isOfRequest(value));
    default:
      return false;
  }
}

/** What an expression is for. */
export type Wanted = 'condition' | 'number' | 'key';

const wantedOf: Record<Wanted, { kinds: readonly Kind[]; words: string }> = {
  condition: { kinds: ['bool'], words: 'a condition is true or false' },
  number: { kinds: ['int', 'double'], words: 'what is added up is a number' },
  key: {
    kinds: ['string', 'bool', 'int', 'double'],
    words: 'what is counted by is a text, a number, true or false',
  },
};

const stepsMax = 20;

function stepsOf(one: Expr | undefined): number {
  let steps = 0;
  for (let at = one; at?.exprKind.case === 'selectExpr'; at = at.exprKind.value.operand) steps += 1;
  return steps;
}

/** What the parser makes of all, exists and the other macros. */
const made = new Set(['@not_strictly_false']);

/** Looks at every part of a condition before there is a request: names, functions, and what cannot go together. */
export function check(
  { expr, sourceInfo }: Tree,
  { lists, wanted }: { lists: readonly string[]; wanted: Wanted },
): Checked {
  const known: typeof roots = { ...roots, lists: Object.fromEntries(lists.map((name) => [name, 'list'])) };
  const misuses: Misuse[] = [];
  const patterns: Checked['patterns'] = [];
  let nodes = 0;
  let walks = false;
  let walkWeight = 0;

  const positionOf = ({ id }: Expr) => (sourceInfo?.positions as Record<string, number>)?.[String(id)] ?? 0;
  const misuse = (at: Expr, message: string): Kind => {
    misuses.push({ at: positionOf(at), message });
    return 'dyn';
  };

  const told = (at: Expr, typed: Typed): Kind =>
    'problem' in typed ? misuse(at, typed.problem) : typed.kind;

  function kindOf(one: Expr | undefined, scope: Scope, depth: number): Kind {
    if (!one) return 'dyn';
    nodes += 1;
    if (scope.has(walking)) walkWeight += 1;
    if (nodes > nodesMax) return 'dyn';
    const { exprKind } = one;
    switch (exprKind.case) {
      case 'constExpr':
        return constantKind(exprKind.value.constantKind.case);
      case 'identExpr':
        return named(one, exprKind.value.name, scope);
      case 'selectExpr': {
        const { operand, field, testOnly } = exprKind.value;
        const kind = selected(one, operand, field, scope, depth);
        return testOnly ? 'bool' : kind;
      }
      case 'callExpr':
        return called(one, exprKind.value, scope, depth);
      case 'listExpr':
        for (const element of exprKind.value.elements) kindOf(element, scope, depth);
        return 'list';
      case 'structExpr':
        if (exprKind.value.messageName !== '') {
          return misuse(one, `there is no type ${quote(exprKind.value.messageName)}`);
        }
        for (const { keyKind, value } of exprKind.value.entries) {
          if (keyKind.case === 'mapKey') kindOf(keyKind.value, scope, depth);
          kindOf(value, scope, depth);
        }
        return 'map';
      case 'comprehensionExpr':
        return walked(one, exprKind.value, scope, depth);
      default:
        return 'dyn';
    }
  }

  function named(one: Expr, name: string, scope: Scope): Kind {
    const local = scope.get(name);
    if (local !== undefined) return local;
    if (typeNames.has(name)) return 'type';
    const root = Object.hasOwn(known, name) ? known[name] : undefined;
    if (root !== undefined && isLarge(name) && scope.has(ofRequest)) return misuse(one, withinWalk);
    if (root === undefined) {
      const names = [...Object.keys(known), ...scope.keys()].filter((word) => !word.startsWith('@'));
      const like = nearest(name, names);
      const inPayload = `(a field of the payload is written payload.${name})`;
      const hint = like ? `did you mean ${quote(like)}?` : `expected ${oneOf(names)};`;
      return misuse(one, `unknown name ${quote(name)}: ${hint} ${inPayload}`);
    }
    return typeof root === 'string' ? root : 'map';
  }

  function selected(one: Expr, operand: Expr | undefined, field: string, scope: Scope, depth: number): Kind {
    const ident = operand?.exprKind.case === 'identExpr' ? operand.exprKind.value.name : undefined;
    const isRoot = ident !== undefined && !scope.has(ident) && Object.hasOwn(known, ident);
    const fields = isRoot ? known[ident] : undefined;
    if (fields !== undefined && typeof fields !== 'string') {
      const kind = Object.hasOwn(fields, field) ? fields[field] : undefined;
      if (kind === 'list' && ident === 'context' && scope.has(ofRequest)) return misuse(one, withinWalk);
      if (kind !== undefined) return kind;
      const names = Object.keys(fields);
      const like = nearest(field, names);
      const hint = like
        ? `did you mean ${quote(like)}?`
        : names.length === 0
          ? 'the policy names none'
          : `expected ${oneOf(names)}`;
      return misuse(one, `${ident} has no field ${quote(field)}: ${hint}`);
    }
    const kind = kindOf(operand, scope, depth);
    if (stepsOf(operand) >= stepsMax) return misuse(one, `a path has at most ${stepsMax} steps`);
    if (isOpen(kind)) return kind;
    if (kind === 'map') return 'dyn';
    return misuse(one, `${nounOf(kind)} has no fields, so not ${quote(field)}`);
  }

  function called(one: Expr, call: Call, scope: Scope, depth: number): Kind {
    const { function: name, target, args } = call;
    const given = [...(target ? [target] : []), ...args];
    const kinds = given.map((arg) => kindOf(arg, scope, depth));
    const [left = 'dyn', right = 'dyn'] = kinds;
    const expects = (kind: Kind, index: number) => {
      const found = kinds[index] ?? 'dyn';
      if (isOpen(found) || found === kind) return;
      misuse(given[index] ?? one, `expected ${nounOf(kind)}, and this is ${nounOf(found)}`);
    };
    if (made.has(name)) return 'bool';
    if (name === '_&&_' || name === '_||_') {
      for (const index of given.keys()) expects('bool', index);
      return 'bool';
    }
    if (name === '!_') {
      expects('bool', 0);
      return 'bool';
    }
    if (name === '_?_:_') {
      expects('bool', 0);
      const [, one_, other] = kinds;
      return one_ === other && one_ !== undefined ? one_ : 'dyn';
    }
    if (name === '-_') {
      if (isOpen(left) || left === 'int' || left === 'double') return left;
      return misuse(one, `${nounOf(left)} has no negative`);
    }
    if (comparisons.has(name)) return told(one, compared(left, right));
    if (equalities.has(name)) return told(one, equated(left, right));
    const sign = signs.get(name);
    if (sign) return told(one, computed(sign, [left, right], given.map(wholeOf)));
    if (name === '_[_]') {
      if (isOpen(left)) return left;
      if (left === 'list' || left === 'map') return 'dyn';
      return misuse(one, `${nounOf(left)} has no elements`);
    }
    if (name === '@in') {
      if (scope.has(walking)) walkWeight += listEntriesMax;
      if (right === 'json' && scope.has(walking)) return misuse(one, withinWalk);
      if (isOpen(right) || right === 'list' || right === 'map') return 'bool';
      return misuse(one, `"in" looks in a list or a map, and this is ${nounOf(right)}`);
    }
    if (name === 'matches') pattern(one, args.at(-1));
    return told(one, applied(name, target ? 'method' : 'function', kinds));
  }

  /** A pattern of the request's own would be compiled for each request, and be whatever an agent likes. */
  function pattern(one: Expr, arg: Expr | undefined): void {
    const constant = arg?.exprKind.case === 'constExpr' ? arg.exprKind.value.constantKind : undefined;
    if (constant?.case !== 'stringValue') {
      misuse(arg ?? one, 'the pattern of matches is a text written out, such as "^[A-Z]+$"');
    } else if (constant.value.length > patternCharsMax) {
      misuse(arg ?? one, `a pattern has at most ${patternCharsMax} characters`);
    } else patterns.push({ at: positionOf(arg ?? one), pattern: constant.value });
  }

  function walked(one: Expr, walk: Walk, scope: Scope, depth: number): Kind {
    walks = true;
    if (depth > 0) {
      return misuse(
        one,
        'all, exists, exists_one, map and filter cannot stand within each other: it would cost too much',
      );
    }
    const range = kindOf(walk.iterRange, scope, depth);
    if (!isOpen(range) && range !== 'list' && range !== 'map') {
      misuse(walk.iterRange ?? one, `a list or a map is gone through, and this is ${nounOf(range)}`);
    }
    if (walk.iterRange?.exprKind.case === 'callExpr' && walk.iterRange.exprKind.value.function !== '_[_]') {
      misuse(walk.iterRange, 'a list is gone through as it is in the request, or as it is written out');
    }
    const start = kindOf(walk.accuInit, scope, depth);
    const element = range === 'json' ? 'json' : 'dyn';
    const inner = new Map([
      ...scope,
      [walking, 'bool' as Kind],
      [walk.iterVar, element as Kind],
      [walk.accuVar, start],
    ]);
    if (isOfRequest(walk.iterRange)) inner.set(ofRequest, 'bool');
    if (walk.iterVar2 !== '') inner.set(walk.iterVar2, element);
    kindOf(walk.loopCondition, inner, depth + 1);
    kindOf(walk.loopStep, inner, depth + 1);
    return kindOf(walk.result, inner, depth + 1);
  }

  const kind = kindOf(expr, new Map(), 0);
  if (nodes > nodesMax)
    misuses.unshift({ at: 0, message: `a condition has at most ${nodesMax} parts: make two rules of it` });
  else if (!wantedOf[wanted].kinds.includes(kind) && !isOpen(kind) && misuses.length === 0) {
    misuse(expr, `${wantedOf[wanted].words}, and this is ${nounOf(kind)}`);
  }
  return { misuses, walks, patterns, nodes, walkWeight };
}
