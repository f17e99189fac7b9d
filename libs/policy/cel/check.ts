import type { parse } from '@bufbuild/cel';
import { nearest } from '../nearest.ts';
import { oneOf, quote } from '../problems.ts';
import { nodesMax, patternCharsMax } from './bounds.ts';
import { functions, isNumber, isOpen, type Kind, nounOf, type Signature, typeNames } from './kinds.ts';
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
  /** The patterns of `matches`, which are compiled when the policy is accepted. */
  patterns: { at: number; pattern: string }[];
};

type Scope = ReadonlyMap<string, Kind>;

const comparisons = new Set(['_<_', '_<=_', '_>_', '_>=_']);
const equalities = new Set(['_==_', '_!=_']);
const arithmetic: Readonly<Record<string, string>> = {
  '_+_': '+',
  '_-_': '-',
  '_*_': '*',
  '_/_': '/',
  '_%_': '%',
};
/** Of what JSON is made. */
const jsonKinds: readonly Kind[] = ['bool', 'double', 'string', 'null', 'list', 'map'];

const isLarge = (root: string) => root === 'payload' || root === 'context';
/** In the scope of every walk. */
const walking = '@walking';
/** In the scope of a walk through what the request brings, which may be as long as it likes. */
const ofRequest = '@request';
const withinWalk =
  'where a list of the request is gone through, only the element itself can be asked, lists of the policy, and single values of agent, action and context: anything else would be gone through for each element';

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
    default:
      return false;
  }
}

function momentBesideJson(left: Kind, right: Kind): string | null {
  const isMoment = (kind: Kind) => kind === 'timestamp' || kind === 'duration';
  const beside = (one: Kind, other: Kind) => one === 'json' && isMoment(other);
  if (!beside(left, right) && !beside(right, left)) return null;
  return 'a payload holds no moments and spans of time: write timestamp(…) or duration(…) around its text';
}

/** What the parser makes of all, exists and the other macros. */
const made = new Set(['@not_strictly_false']);

/** Looks at every part of a condition before there is a request: names, functions, and what cannot go together. */
export function check({ expr, sourceInfo }: Tree, lists: readonly string[] = []): Checked {
  const known: typeof roots = { ...roots, lists: Object.fromEntries(lists.map((name) => [name, 'list'])) };
  const misuses: Misuse[] = [];
  const patterns: Checked['patterns'] = [];
  let nodes = 0;
  let walks = false;

  const positionOf = ({ id }: Expr) => (sourceInfo?.positions as Record<string, number>)?.[String(id)] ?? 0;
  const misuse = (at: Expr, message: string): Kind => {
    misuses.push({ at: positionOf(at), message });
    return 'dyn';
  };

  function kindOf(one: Expr | undefined, scope: Scope, depth: number): Kind {
    if (!one) return 'dyn';
    nodes += 1;
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
    if (comparisons.has(name)) return compared(one, left, right);
    if (equalities.has(name)) return equated(one, left, right);
    if (Object.hasOwn(arithmetic, name)) return computed(one, arithmetic[name] as string, given, kinds);
    if (name === '_[_]') {
      if (isOpen(left)) return left;
      if (left === 'list' || left === 'map') return 'dyn';
      return misuse(one, `${nounOf(left)} has no elements`);
    }
    if (name === '@in') {
      if (right === 'json' && scope.has(walking)) return misuse(one, withinWalk);
      if (isOpen(right) || right === 'list' || right === 'map') return 'bool';
      return misuse(one, `"in" looks in a list or a map, and this is ${nounOf(right)}`);
    }
    if (name === 'matches') pattern(one, args.at(-1));
    return applied(one, name, target ? 'method' : 'function', kinds);
  }

  function compared(one: Expr, left: Kind, right: Kind): Kind {
    const ordered: readonly Kind[] = ['string', 'bytes', 'timestamp', 'duration', 'bool'];
    const moment = momentBesideJson(left, right);
    if (moment) return misuse(one, moment);
    const fits =
      isOpen(left) ||
      isOpen(right) ||
      (isNumber(left) && isNumber(right)) ||
      (left === right && ordered.includes(left));
    if (!fits) misuse(one, `${nounOf(left)} and ${nounOf(right)} have no order`);
    return 'bool';
  }

  function equated(one: Expr, left: Kind, right: Kind): Kind {
    const moment = momentBesideJson(left, right);
    if (moment) return misuse(one, moment);
    const fits =
      left === right ||
      isOpen(left) ||
      isOpen(right) ||
      [left, right].includes('null') ||
      (isNumber(left) && isNumber(right));
    if (!fits) misuse(one, `${nounOf(left)} is never equal to ${nounOf(right)}`);
    return 'bool';
  }

  function computed(one: Expr, sign: string, given: Expr[], kinds: Kind[]): Kind {
    const [left = 'dyn', right = 'dyn'] = kinds;
    const moment = momentBesideJson(left, right);
    if (moment) return misuse(one, moment);
    if (sign === '%' && kinds.some((kind) => kind === 'json' || kind === 'double')) {
      return misuse(
        one,
        'numbers of a payload have fractions, and % takes whole ones: write int(…) around it',
      );
    }
    // CEL computes with two numbers of one kind only.
    for (const [index, kind] of kinds.entries()) {
      if (kinds[1 - index] !== 'json' || (kind !== 'int' && kind !== 'uint')) continue;
      const literal = given[index]?.exprKind;
      const constant = literal?.case === 'constExpr' ? literal.value.constantKind.value : undefined;
      const hint =
        typeof constant === 'bigint'
          ? `write ${constant}.0 instead of ${constant}`
          : 'write double(…) around the whole one';
      return misuse(one, `numbers of a payload have fractions, and ${sign} takes two of one kind: ${hint}`);
    }
    if (left === 'dyn' || right === 'dyn') return 'dyn';
    if (left === 'json' || right === 'json') return left === right ? 'json' : left === 'json' ? right : left;
    const pair = [left, right].join();
    if (left === right && isNumber(left)) return left;
    if (sign === '+' && left === right && ['string', 'bytes', 'list', 'duration'].includes(left)) return left;
    if (sign === '-' && pair === 'duration,duration') return 'duration';
    if (sign === '-' && pair === 'timestamp,timestamp') return 'duration';
    if (pair === 'timestamp,duration' && (sign === '+' || sign === '-')) return 'timestamp';
    if (pair === 'duration,timestamp' && sign === '+') return 'timestamp';
    return misuse(one, `${sign} does not go with ${nounOf(left)} and ${nounOf(right)}`);
  }

  function applied(one: Expr, name: string, as: Signature['as'], kinds: Kind[]): Kind {
    const signatures = functions.get(name);
    if (!signatures) {
      const like = nearest(name, functions.keys());
      return misuse(
        one,
        `there is no function ${quote(name)}${like ? `: did you mean ${quote(like)}?` : ''}`,
      );
    }
    if (signatures.every((signature) => signature.as !== as)) {
      const form = as === 'method' ? `${name}(value)` : `value.${name}(…)`;
      return misuse(one, `${name} is written ${form}`);
    }
    const takes = (signature: Signature) =>
      signature.as === as &&
      signature.takes.length === kinds.length &&
      signature.takes.every((those, index) => {
        const kind = kinds[index] as Kind;
        return isOpen(kind)
          ? kind === 'dyn' || those.some((one) => jsonKinds.includes(one))
          : those.includes(kind);
      });
    const fitting = signatures.find(takes);
    if (fitting) return fitting.gives;
    return misuse(one, `${name} does not take ${kinds.map(nounOf).join(' and ') || 'nothing'}`);
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
  else if (kind !== 'bool' && !isOpen(kind) && misuses.length === 0) {
    misuse(expr, `a condition is true or false, and this is ${nounOf(kind)}`);
  }
  return { misuses, walks, patterns };
}

function constantKind(name: string | undefined): Kind {
  switch (name) {
    case 'boolValue':
      return 'bool';
    case 'int64Value':
      return 'int';
    case 'uint64Value':
      return 'uint';
    case 'doubleValue':
      return 'double';
    case 'stringValue':
      return 'string';
    case 'bytesValue':
      return 'bytes';
    case 'nullValue':
      return 'null';
    default:
      return 'dyn';
  }
}
