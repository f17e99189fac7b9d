import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const isDocument = (file: string) => file.endsWith('.md');

const documents = [
  ...readdirSync(root).filter(isDocument),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(isDocument)
    .map((file) => join('docs', file)),
];

/** Titles as they become addresses within a page. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(documents)('%s points only at what is there', (document) => {
  const text = readFileSync(join(root, document), 'utf8');
  const wrong = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(root, document) : join(root, dirname(document), path);
    if (!existsSync(target)) return [link];
    if (anchor === undefined) return [];
    return anchorsOf(readFileSync(target, 'utf8')).includes(anchor) ? [] : [link];
  });
  expect(wrong, relative(root, document)).toEqual([]);
});
