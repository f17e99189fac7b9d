import { shortened, visible } from './visible.ts';

const valueCharsMax = 300;
const nameCharsMax = 120;

export type Arguments = {
  /** One argument a line. */
  lines: string[];
  /** How many more there are, which are not among the lines. */
  left: number;
};

/** What is to be run with, as a person reads it: a name and a value a line, as many as there is room for. */
export function argumentsOf(payload: unknown, room: { lines: number; chars: number }): Arguments {
  const all = leaves(payload, '');
  const lines: string[] = [];
  let chars = 0;
  for (const { path, value } of all) {
    const line = path === '' ? valueText(value) : `${shortened(path, nameCharsMax)}: ${valueText(value)}`;
    if (lines.length >= room.lines || chars + line.length + 1 > room.chars) break;
    lines.push(line);
    chars += line.length + 1;
  }
  return { lines, left: all.length - lines.length };
}

type Leaf = { path: string; value: unknown };

function leaves(value: unknown, path: string): Leaf[] {
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [{ path, value }];
  const entries = Object.entries(value);
  if (entries.length === 0) return path === '' ? [] : [{ path, value }];
  const isList = Array.isArray(value);
  return entries.flatMap(([name, inner]) => {
    const step = isList ? `[${name}]` : /^[\w-]+$/u.test(name) ? name : JSON.stringify(name);
    return leaves(inner, path === '' || isList ? `${path}${step}` : `${path}.${step}`);
  });
}

/** A text stands as it is; where it breaks into lines, or could be taken for something else, in quotes. */
function valueText(value: unknown): string {
  if (typeof value !== 'string') return shortened(JSON.stringify(value), valueCharsMax);
  const isPlain = value !== '' && value.trim() === value && !value.includes('\n') && !looksOtherwise(value);
  return shortened(isPlain ? value : JSON.stringify(value), valueCharsMax);
}

const looksOtherwise = (text: string) =>
  /^(-?\d|["[{]|(true|false|null)$)/.test(text) || visible(text) !== text;
