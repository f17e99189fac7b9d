import { expect, test } from 'vitest';
import { lookAlike } from './look-alike.ts';
import { problemsOf } from './test-reading.ts';

test.each([
  ['p\u0430yment.send', 'mixes Latin letters with one that looks like them (U+0430)'],
  ['refund.\u0441reate', 'U+0441'],
  ['\u03bfrder', 'U+03BF'],
  ['\uff50ayment', 'full-width'],
  ['\u{1d429}ay', 'full-width'],
  ['ﬁle.read', 'full-width'],
  ['cafe\u0301.pay', 'in the form NFC'],
  ['\u0440\u0430\u0443.refund', 'U+0440'],
  ['p\u0251y', 'U+0251'],
  ['delete\u2010all', 'U+2010'],
  ['delete\u2212all', 'U+2212'],
  ['a\u00a0b', 'full-width'],
])('%s is not what it seems', (name, words) => expect(lookAlike(name)).toContain(words));

test.each([
  'payment.send',
  'отчёт.create',
  'Überweisung',
  'caf\u00e9',
  'ура',
  'доклад.create',
  'παραγγελία_new',
  'Tシャツ.order',
  '支付',
  'a-1*',
])('%s is what it seems', (name) => expect(lookAlike(name)).toBeNull());

test('a rule for a name that is not what it seems is refused: it would protect nothing', () => {
  const text = 'version: 1\nrules:\n  - { action: "p\u0430y.*", tool: "st\u0433ipe", decide: deny }\n';
  expect(problemsOf(text)).toBe(
    'line 3, column 15: action: mixes Latin letters with one that looks like them (U+0430)\n' +
      'line 3, column 30: tool: mixes Latin letters with one that looks like them (U+0433)',
  );
});
