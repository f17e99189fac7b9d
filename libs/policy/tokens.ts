import type { CST } from 'yaml';
import { aliasesMax, anchorsMax, depthMax, entriesMax } from './limits.ts';
import { quote } from './problems.ts';

export type Refusal = { offset: number; message: string };

type Token = CST.SourceToken | CST.Token;

/**
 * Looks at the raw tokens before nodes are made of them, without recursion, so that what follows is bounded in depth
 * and in number, whatever the text. The first thing that is not allowed ends the walk.
 */
export const firstRefusal = (tokens: readonly Token[]): Refusal | undefined => {
  const counts: Counts = { anchors: 0, aliases: 0, documents: 0 };
  const open: { token: Token; depth: number }[] = [];
  const push = (more: readonly (Token | null | undefined)[], depth: number): void => {
    for (const token of more.toReversed()) if (token) open.push({ token, depth });
  };
  push(tokens, 0);
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    const message = refusal(token, depth, counts);
    if (message !== undefined) return { offset: token.offset, message };
    push(inside(token), isCollection(token) ? depth + 1 : depth);
  }
  return undefined;
};

type Counts = { anchors: number; aliases: number; documents: number };

const refusal = (token: Token, depth: number, counts: Counts): string | undefined => {
  switch (token.type) {
    case 'error':
      return `not valid YAML: ${token.message}`;
    case 'directive':
      if (/^%YAML +1\.2\s*$/.test(token.source)) return undefined;
      return 'directives are not part of the policy language, except "%YAML 1.2"';
    case 'document':
      if (++counts.documents === 1) return undefined;
      return 'expected one document, found a second: a policy is one file, without a "---" inside';
    case 'tag':
      return `tags (${quote(token.source)}) are not part of the policy language`;
    case 'anchor':
      return ++counts.anchors > anchorsMax ? `more than ${anchorsMax} anchors` : undefined;
    case 'alias':
      return ++counts.aliases > aliasesMax ? `more than ${aliasesMax} aliases` : undefined;
    default:
      if (!isCollection(token)) return undefined;
      if (depth >= depthMax) return `nested more than ${depthMax} levels deep`;
      return token.items.length > entriesMax
        ? `more than ${entriesMax} entries in one list or map`
        : undefined;
  }
};

type Collection = CST.BlockMap | CST.BlockSequence | CST.FlowCollection;

const isCollection = (token: Token): token is Collection => 'items' in token;

const inside = (token: Token): (Token | null | undefined)[] => {
  if (isCollection(token)) {
    return token.items.flatMap(({ start, key, sep, value }) => [...start, key, ...(sep ?? []), value]);
  }
  switch (token.type) {
    case 'document':
      return [...token.start, token.value, ...(token.end ?? [])];
    case 'block-scalar':
      return token.props;
    default:
      return [];
  }
};
