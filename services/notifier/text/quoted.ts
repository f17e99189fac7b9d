import { shortened, visible } from '@placet/text';

const linesMax = 40;

/** What others wrote, as one line. */
export const oneLine = (text: string) => visible(text).replaceAll(/\s*\n\s*(│ )?/g, ' ');

/** A name that others gave: where it could be taken for words of ours it stands in quotes. */
export const nameIn = (text: string) => (/^[\w.@+:/-]+$/.test(text) ? text : JSON.stringify(oneLine(text)));

/** What others wrote in several lines stands behind a bar: none of them can be taken for a line of ours. */
export function quoted(text: string, charsMax = 2000): string {
  const lines = shortened(text, charsMax).split('\n');
  if (lines.length === 1) return lines[0] ?? '';
  const left = lines.length - linesMax;
  const shown = [...lines.slice(0, linesMax), ...(left > 0 ? [`… (${left} more lines)`] : [])];
  return shown.map((line) => `\n  │ ${line}`).join('');
}

/** Who says it, or what it is, and then what others wrote. */
export function saying(intro: string, text: string, charsMax?: number): string {
  const said = quoted(text, charsMax);
  return said.startsWith('\n') ? `${intro}:${said}` : `${intro}: ${said}`;
}
