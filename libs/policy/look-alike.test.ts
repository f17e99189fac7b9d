import { expect, test } from 'vitest';
import { lookAlike } from './look-alike.ts';
import { problemsOf } from './test-reading.ts';

test.each([
  ['p\u0430yment.send', 'mixes Latin letters with one that looks like them (U+0430)'],
  ['refund.\u0441reate', 'U+0441'],
  ['\u03bfrder', 'U+03BF'],
  ['\u0440\u0430\u0443.refund', 'could be read as Latin letters (U+0440)'],
  ['\u0441\u043e\u0440\u0443', 'could be read as Latin letters'],
  ['\uff50ayment', 'full-width'],
  ['\u{1d429}ay', 'full-width'],
  ['\ufb01le.read', 'full-width'],
  ['a\u00a0b', 'full-width'],
  ['cafe\u0301.pay', 'in the form NFC'],
  ['p\u0251y', 'U+0251'],
  ['f\u0131le', 'U+0131'],
  ['de\u01c0ete', 'U+01C0'],
  ['de\u0196ete', 'U+0196'],
  ['delete\u2010all', 'U+2010'],
  ['delete\u2212all', 'U+2212'],
  ['a\u00b7b', 'U+00B7'],
  ['a\u2215b', 'U+2215'],
  ['drop.\u0660', 'U+0660'],
  ['\ua4d3\ua4e3\ua4f3\ua4d1.table', 'U+A4D3'],
  ['\u13a0\u13a1', 'U+13A0'],
  ['drop.\u05d0.1', 'in another order'],
  ...[
    '\ufe0f',
    '\u034f',
    '\u1160',
    '\u{e0100}',
    '\u17b5',
    '\ufe00',
    '\u2065',
    '\ufff0',
    '\u{1bca4}',
    '\ufffe',
    '\ue000',
    '\u2800',
    '\u200b',
    '\u0000',
    '\u0378',
  ].map((character): [string, string] => [`dro${character}p.table`, 'cannot be seen']),
  ['deploy ', 'spaces that cannot be seen'],
  [' deploy', 'spaces that cannot be seen'],
  ['de  ploy', 'spaces that cannot be seen'],
])('%j is not what it seems', (name, words) => expect(lookAlike(name)).toContain(words));

test.each([
  'payment.send',
  'Send an e-mail (fast)!',
  '\u043e\u0442\u0447\u0451\u0442.create',
  '\u00dcberweisung',
  'caf\u00e9',
  'th\u00eam_m\u1edbi',
  '\u03c0\u03b1\u03c1\u03b1\u03b3\u03b3\u03b5\u03bb\u03af\u03b1_new',
  'T\u30b7\u30e3\u30c4.order',
  '\u652f\u4ed8',
  '\u05d4\u05d7\u05d6\u05e8',
  '\u092d\u0941\u0917\u0924\u093e\u0928',
  'a-1*',
  'mcp__server__tool:v2/x',
])('%s is what it seems', (name) => expect(lookAlike(name)).toBeNull());

test('a rule for a name that is not what it seems is refused: it would protect nothing', () => {
  const text = 'version: 1\nrules:\n  - { action: "p\u0430y.*", tool: "st\u0433ipe", decide: deny }\n';
  expect(problemsOf(text)).toBe(
    'line 3, column 15: action: mixes Latin letters with one that looks like them (U+0430)\n' +
      'line 3, column 30: tool: mixes Latin letters with one that looks like them (U+0433)',
  );
});
