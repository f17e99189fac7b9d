import { inMarkup, visible } from '@placet/text';

/** Markup of ours, in which whatever came from elsewhere is text. */
export type Html = { readonly markup: string };

type Part = Html | string | number | false | null | undefined | readonly Part[];

/** What is put in stands there as text, and what is not seen is spelled out; markup is only what was written with this. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  const markup = strings.map((text, n) => text + (n < parts.length ? markupOf(parts[n]) : '')).join('');
  return { markup };
}

function markupOf(part: Part): string {
  if (part === false || part === null || part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return escaped(visible(String(part)));
  return Array.isArray(part) ? part.map(markupOf).join('') : (part as Html).markup;
}

/** A value that has to come back as it is: what is not seen is not spelled out in it. */
export function attribute(value: string): Html {
  return { markup: escaped(value) };
}

/** A line break stays one, wherever it stands. */
function escaped(text: string): string {
  return inMarkup(text).replaceAll('\n', '&#10;');
}
