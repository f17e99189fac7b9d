import { isCelError, parse, plan } from '@bufbuild/cel';
import { partsMax, patternsMax } from '../limits.ts';
import { conditionCharsMax, nestingMax, tooDeepAt, walkedMax } from './bounds.ts';
import { check, type Misuse, type Tree, type Wanted } from './check.ts';
import { environment } from './environment.ts';
import { patternOf } from './patterns.ts';
import type { Lists, Subject } from './subject.ts';

/** Text in CEL, ready to be asked of requests. */
export type Expression = {
  text: string;
  costOf(subject: Subject): number;
  /** Of a request it has a value; or it could not be told, and why. */
  result(subject: Subject): { value: unknown } | { unsure: string };
};

export type CompiledExpression = { ok: true; expression: Expression } | { ok: false; misuses: Misuse[] };

export type Condition = {
  text: string;
  /** What it costs to ask it of this request, in parts. */
  costOf(subject: Subject): number;
  /** Of a request it is true or false; or it could not be told, and why. */
  holds(subject: Subject): boolean | { unsure: string };
};

export type CompiledCondition = { ok: true; condition: Condition } | { ok: false; misuses: Misuse[] };

/** What a policy brings to its conditions. */
export type Surroundings = {
  mayCompile?: (patterns: number) => boolean;
  /** Whether the policy may hold so many parts more. */
  mayHold?: (nodes: number) => boolean;
  lists?: Lists;
};
const noLists: Lists = {};

const unsureCharsMax = 200;

/** Reads a condition in CEL, or says everything that is wrong with it. Never throws. */
export function compileCondition(text: string, surroundings: Surroundings = {}): CompiledCondition {
  const compiled = compileExpression(text, 'condition', surroundings);
  if (!compiled.ok) return compiled;
  const { expression } = compiled;
  return {
    ok: true,
    condition: {
      text,
      costOf: expression.costOf,
      holds(subject) {
        const result = expression.result(subject);
        if ('unsure' in result) return result;
        return typeof result.value === 'boolean' ? result.value : { unsure: 'it is neither true nor false' };
      },
    },
  };
}

/** The same of an expression that is for something else. Never throws. */
export function compileExpression(
  text: string,
  wanted: Wanted,
  { mayCompile = () => true, mayHold = () => true, lists = noLists }: Surroundings = {},
): CompiledExpression {
  if (text.length > conditionCharsMax) {
    return refused(0, `a condition has at most ${conditionCharsMax} characters, and this has ${text.length}`);
  }
  const blank = /\s{50}/.exec(text);
  if (blank) return refused(blank.index, 'a condition has at most 49 blanks in a row');
  const deep = tooDeepAt(text);
  if (deep !== null) return refused(deep, `a condition is at most ${nestingMax} levels deep`);
  const tree = read(text);
  if ('misuse' in tree) return { ok: false, misuses: [tree.misuse] };
  const { misuses, walks, walkWeight, nodes, patterns } = check(tree, { lists: Object.keys(lists), wanted });
  if (misuses.length === 0 && patterns.length > 0) {
    if (!mayCompile(patterns.length))
      return refused(0, `at most ${patternsMax} patterns of matches in one policy`);
    misuses.push(...patterns.flatMap(({ at, pattern }) => wrongPattern(at, pattern)));
  }
  if (misuses.length === 0 && !mayHold(nodes))
    return refused(0, `the conditions of one policy have at most ${partsMax} parts together`);
  if (misuses.length > 0) return { ok: false, misuses };
  const run = plan(environment, tree);
  return {
    ok: true,
    expression: {
      text,
      costOf: (subject) => nodes + (walks ? walkWeight * Math.min(subject.longest(), walkedMax) : 0),
      result(subject) {
        if (walks && subject.longest() > walkedMax) {
          return {
            unsure: `the request has a list of ${subject.longest()}, and a condition goes through ${walkedMax} at most`,
          };
        }
        return outcomeOf(text, () => run(subject.bindings(lists)));
      },
    },
  };
}

function outcomeOf(text: string, run: () => unknown): { value: unknown } | { unsure: string } {
  try {
    const result = run();
    return isCelError(result) ? { unsure: inWords(result.message, text) } : { value: result };
  } catch (error) {
    return { unsure: inWords(error instanceof Error ? error.message : String(error), text) };
  }
}

/**
 * The library's messages quote values, and what an agent sends must not become a sentence of ours. What the condition
 * itself names may be told.
 */
function inWords(message: string, text: string): string {
  const field = /^field not found: (?<name>.*)$/s.exec(message)?.groups?.['name'];
  if (field !== undefined) return text.includes(field) ? `field not found: ${field}` : 'a field is not there';
  if (/no matching overload/.test(message)) return 'it compares or computes with values of different kinds';
  if (/out of bounds|no such key/.test(message)) return 'an element is not there';
  if (/^(not a number|division by zero|a text is too long (for a pattern|to be searched))$/.test(message))
    return message;
  return 'a value has not the form that it needs';
}

type ParseProblem = { rawMessage?: string; message: string; location?: { start: { offset: number } } };

function read(text: string): Tree | { misuse: Misuse } {
  try {
    return parse(text);
  } catch (error) {
    const { rawMessage, message, location } = error as ParseProblem;
    const words = /^found (?<found>.*?) but expecting/s.exec(rawMessage ?? message)?.groups?.['found'];
    const at = location?.start.offset ?? 0;
    const what = words === undefined ? message : `nothing fits here that begins with ${words}`;
    return { misuse: { at, message: `not valid CEL: ${slip(text, at) ?? what}` } };
  }
}

const words: Readonly<Record<string, string>> = { and: '&&', or: '||', not: '!', is: '==', '=': '==' };

/** What is most often meant by what CEL does not know. */
function slip(text: string, at: number): string | undefined {
  const rest = text.slice(at);
  const [written = ''] = /^(=(?!=)|\w+)/.exec(rest) ?? [];
  const meant = Object.hasOwn(words, written.toLowerCase()) ? words[written.toLowerCase()] : undefined;
  if (meant !== undefined) return `write ${meant} instead of ${written}`;
  return /^(&&|\|\||[<>=!]=|[<>+\-*/%!])?\s*$/.test(rest) ? 'something has to follow here' : undefined;
}

/** Compiled once here, so that a pattern that is none is found when the policy is accepted. */
function wrongPattern(at: number, pattern: string): Misuse[] {
  try {
    patternOf(pattern);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ at, message: `the pattern cannot be used: ${why.slice(0, unsureCharsMax)}` }];
  }
}

function refused(at: number, message: string): { ok: false; misuses: Misuse[] } {
  return { ok: false, misuses: [{ at, message }] };
}
