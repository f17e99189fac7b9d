import { shortened, visible } from './visible.ts';

/**
 * A text of which no mail program and no page makes a link by itself. What is broken up is seen to be: `[.]` stands where
 * a dot stood, as people who warn each other of addresses write them.
 */
export function unlinked(text: string): string {
  return text
    .replace(/(?<=[^\s.．。｡])[.．。｡](?=\p{L}{2})/gu, '[.]')
    .replace(/:(?=\/\/)/g, '[:]')
    .replace(/\b(mailto|tel|sms|callto|facetime|skype|data|javascript|magnet):/gi, '$1[:]')
    .replace(/\\\\(?=[^\s\\])/g, '[\\\\]');
}

/** What others have written: everything in it is seen, and nothing in it is a link. */
export function harmless(text: string, charsMax: number): string {
  return shortened(unlinked(visible(text)), charsMax);
}
