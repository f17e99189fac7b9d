import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { conditionCharsMax, nestingMax, tooDeepAt, walkedMax } from './bounds.ts';
import { check, type Misuse, type Tree } from './check.ts';
import { patternOf } from './patterns.ts';
import type { Subject } from './subject.ts';

export type Condition = {
  text: string;
  /** How many patterns it has. */
  patterns: number;
  /** Of a request it is true or false; or it could not be told, and why. */
  holds(subject: Subject): boolean | { unsure: string };
};

export type CompiledCondition = { ok: true; condition: Condition } | { ok: false; misuses: Misuse[] };

const environment = celEnv({ re2: { compile: patternOf } });
const unsureCharsMax = 200;

/** Reads a condition in CEL, or says everything that is wrong with it. Never throws. */
export function compileCondition(text: string): CompiledCondition {
  if (text.length > conditionCharsMax) {
    return refused(0, `a condition has at most ${conditionCharsMax} characters, and this has ${text.length}`);
  }
  const deep = tooDeepAt(text);
  if (deep !== null) return refused(deep, `a condition is at most ${nestingMax} levels deep`);
  const tree = read(text);
  if ('misuse' in tree) return { ok: false, misuses: [tree.misuse] };
  const { misuses, walks, patterns } = check(tree);
  misuses.push(...patterns.flatMap(({ at, pattern }) => wrongPattern(at, pattern)));
  if (misuses.length > 0) return { ok: false, misuses };
  const run = plan(environment, tree);
  return {
    ok: true,
    condition: {
      text,
      patterns: patterns.length,
      holds(subject) {
        if (walks && subject.longest() > walkedMax) {
          return {
            unsure: `the request has a list of ${subject.longest()}, and a condition goes through ${walkedMax} at most`,
          };
        }
        return outcomeOf(() => run(subject.bindings()));
      },
    },
  };
}

function outcomeOf(run: () => unknown): boolean | { unsure: string } {
  try {
    const result = run();
    if (typeof result === 'boolean') return result;
    if (isCelError(result)) return { unsure: result.message.slice(0, unsureCharsMax) };
    return { unsure: 'it is neither true nor false' };
  } catch (error) {
    return { unsure: (error instanceof Error ? error.message : String(error)).slice(0, unsureCharsMax) };
  }
}

type ParseProblem = { rawMessage?: string; message: string; location?: { start: { offset: number } } };

function read(text: string): Tree | { misuse: Misuse } {
  try {
    return parse(text);
  } catch (error) {
    const { rawMessage, message, location } = error as ParseProblem;
    const words = /^found (?<found>.*?) but expecting/s.exec(rawMessage ?? message)?.groups?.['found'];
    const what = words === undefined ? message : `nothing fits here that begins with ${words}`;
    return { misuse: { at: location?.start.offset ?? 0, message: `not valid CEL: ${what}` } };
  }
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

function refused(at: number, message: string): CompiledCondition {
  return { ok: false, misuses: [{ at, message }] };
}
