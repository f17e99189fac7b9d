import { expect, test } from 'vitest';
import { unlinked } from './unlinked.ts';

test.each([
  ['https://evil.example/a?b=c', 'https[:]//evil[.]example/a?b=c'],
  ['see www.evil.com now', 'see www[.]evil[.]com now'],
  ['ann@evil.example', 'ann@evil[.]example'],
  ['evil。com and evil．com', 'evil[.]com and evil[.]com'],
  ['bücher.example', 'bücher[.]example'],
  ['evil.xn--p1ai', 'evil[.]xn--p1ai'],
  ['mailto:ann', 'mailto[:]ann'],
  ['TEL:+4930', 'TEL[:]+4930'],
  ['\\\\server\\share', '[\\\\]server\\share'],
  ['file://server/share', 'file[:]//server/share'],
])('%s is no link', (text, seen) => {
  expect(unlinked(text)).toBe(seen);
});

test.each(['amount: 20.50', 'At 12:30. Then.', 'Yes. No.', 'v1.2.3', 'e.g. this', 'a/b: c', 'C:\\temp'])(
  '%s stays as it is',
  (text) => {
    expect(unlinked(text)).toBe(text);
  },
);
