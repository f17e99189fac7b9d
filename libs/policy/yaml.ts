import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type Scalar,
  visit,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { textBytesMax } from './limits.ts';
import type { Problem } from './problems.ts';
import { collectProblems, type Problems, quote } from './problems.ts';
import { firstRefusal } from './tokens.ts';

export type Node = Scalar | YAMLMap | YAMLSeq | Alias;

/** A file read as YAML: its nodes, where they stand, and what is wrong with them. */
export type Source = {
  root: Node;
  problem(at: Node, path: string, message: string): void;
  /** At a character of a text, counted from 0. */
  problemWithin(at: Scalar, character: number, path: string, message: string): void;
  full(): boolean;
  problems(): Problem[];
  line(node: Node): number;
  /** What an alias stands for; any other node stands for itself. */
  resolve(node: Node, path: string): Exclude<Node, Alias> | undefined;
  describe(node: Node): string;
};

const starHint =
  'in YAML a word that begins with * is an alias: put a pattern that begins with a star in quotes, as "*"';

const hashHint = 'in YAML a # begins a comment: put a channel in quotes, as "#approvals"';

/** YAML 1.2 core, one document, no tags, a bounded number of anchors and aliases. Never throws. */
export const readYaml = (text: string): Source | Problem[] => {
  const found = collectProblems();
  const lines = new LineCounter();
  const report = (offset: number, message: string, path = ''): void => {
    const { line, col } = lines.linePos(offset);
    found.add({ line: Math.max(line, 1), column: Math.max(col, 1), path, message });
  };
  if (tooLong(text)) {
    report(0, `the policy is longer than ${textBytesMax / 1024} KB, the most that is read`);
    return found.list();
  }
  try {
    const plain = text.replace(/^\uFEFF/, '');
    const document = compose(plain, lines, report);
    if (!document) return found.list();
    return sourceOf(document, plain, lines, found);
  } catch (error) {
    // The library reports what it knows to be wrong; whatever it throws all the same must not get past a policy's door.
    report(0, `the policy cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`);
    return found.list();
  }
};

const tooLong = (text: string): boolean =>
  text.length > textBytesMax || new TextEncoder().encode(text).length > textBytesMax;

type Report = (offset: number, message: string, path?: string) => void;

const compose = (text: string, lines: LineCounter, report: Report): Document.Parsed | undefined => {
  let refused = false;
  const refuse: Report = (offset, message) => {
    refused = true;
    report(offset, message);
  };
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooMuch = firstRefusal(tokens);
  if (tooMuch) {
    refuse(tooMuch.offset, tooMuch.message);
    return undefined;
  }
  // Our own reader looks for duplicate keys: the composer's search is quadratic.
  const composer = new Composer({ version: '1.2', schema: 'core', uniqueKeys: false });
  const [document] = composer.compose(tokens, true, text.length);
  if (!document) return undefined;
  for (const error of [...document.errors, ...document.warnings]) refuse(error.pos[0], explain(error));
  if (!refused && empty(document)) refuse(0, emptyHint(text));
  return refused ? undefined : (document as Document.Parsed);
};

const emptyHint = (text: string): string =>
  /^\s*#.*version:/.test(text)
    ? 'the whole text is one comment, as if its lines had been joined: with curl, send it with --data-binary'
    : 'the policy is empty: expected at least "version: 1"';

const empty = ({ contents }: { contents: unknown }): boolean =>
  contents === null || (isScalar(contents) && contents.value === null && !contents.source);

const explain = ({ code, message }: YAMLError): string => {
  switch (code) {
    case 'BAD_ALIAS':
      return `${message}; ${starHint}`;
    case 'TAB_AS_INDENT':
      return 'a tab is not allowed as indentation: use spaces';
    case 'MISSING_CHAR':
      return `not valid YAML: ${message}${message.startsWith('Comments') ? `; ${hashHint}` : ''}`;
    default:
      return `not valid YAML: ${message}`;
  }
};

const sourceOf = (document: Document.Parsed, text: string, lines: LineCounter, found: Problems): Source => {
  const targets = aliasTargets(document);
  const start = (node: Node) => lines.linePos(node.range?.[0] ?? 0);
  const problem = (at: Node, path: string, message: string): void => {
    const { line, col } = start(at);
    found.add({ line, column: col, path, message });
  };
  const problemWithin = (at: Scalar, character: number, path: string, message: string): void => {
    const from = at.range?.[0] ?? 0;
    const value = String(at.value);
    // Written out on one line, with quotes or without, each character stands where it is.
    const mark = text.startsWith(value, from) ? 0 : text.startsWith(value, from + 1) ? 1 : null;
    const { line, col } = lines.linePos(mark === null ? from : from + mark + character);
    const where = mark === null && character > 0 ? ` (at character ${character + 1} of it)` : '';
    found.add({ line, column: col, path, message: `${message}${where}` });
  };
  const resolve = (node: Node, path: string) => {
    if (!isAlias(node)) return node;
    const target = targets.get(node);
    if (!target) problem(node, path, `no anchor for the alias ${quote(`*${node.source}`)}; ${starHint}`);
    return target;
  };
  return {
    root: document.contents as Node,
    problem,
    problemWithin,
    full: found.full,
    problems: found.list,
    line: (node) => start(node).line,
    resolve,
    describe,
  };
};

/** An alias stands for the last node before it that carries its anchor. One walk finds them all. */
const aliasTargets = (document: Document.Parsed): ReadonlyMap<Alias, Exclude<Node, Alias>> => {
  const anchors = new Map<string, Exclude<Node, Alias>>();
  const targets = new Map<Alias, Exclude<Node, Alias>>();
  visit(document, {
    Value: (_, node) => {
      if (node.anchor) anchors.set(node.anchor, node as Exclude<Node, Alias>);
    },
    Alias: (_, alias) => {
      const target = anchors.get(alias.source);
      if (target) targets.set(alias, target);
    },
  });
  return targets;
};

const describe = (node: Node): string => {
  if (isMap(node)) return 'a map';
  if (isSeq(node)) return 'a list';
  if (isAlias(node)) return 'an alias';
  const { value } = node;
  if (value === null) return 'nothing';
  if (typeof value === 'string') return value === '' ? 'an empty text' : `the text ${quote(value)}`;
  return typeof value === 'number' ? `the number ${value}` : String(value);
};
