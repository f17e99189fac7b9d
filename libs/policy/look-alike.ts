/** Scripts with letters that cannot be told from Latin ones by looking. */
const likeLatin =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;
const latin = /\p{Script=Latin}/u;
/** Letters of Cyrillic and Greek that have a double among the Latin ones: a word of nothing else reads as Latin. */
const doubles = /^[аеорсухіјѕһԁԛԝɡАВЕКМНОРСТУХІЈЅԌԛοαινρτυκχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ\p{M}]+$/u;
/** Letters and marks of other uses that read as plain ones: phonetic letters, dashes and spaces. */
const disguised = /[\u0250-\u02ff\u1d00-\u1dbf\u2c60-\u2c7f\ua720-\ua7ff\u2212]|(?![-])\p{Pd}|(?! )\p{Zs}/u;

/**
 * Why a name does not say what people read in it; null where it does. A word of one script is what it seems to who
 * reads that script; one of two is a trap for everybody.
 */
export const lookAlike = (name: string): string | null => {
  if (name !== name.normalize('NFC')) return 'has letters put together from parts: write it in the form NFC';
  if (name !== name.normalize('NFKC'))
    return 'has letters in another form, such as full-width ones: write them plainly';
  const [odd] = disguised.exec(name) ?? [];
  if (odd !== undefined) return `has a letter or a mark that looks like another (${codeOf(odd)})`;
  const hasLatin = latin.test(name);
  for (const word of name.split(/[^\p{L}\p{M}]+/u)) {
    const [strange] = likeLatin.exec(word) ?? [];
    if (strange === undefined) continue;
    if (latin.test(word) || (hasLatin && doubles.test(word)))
      return `mixes Latin letters with one that looks like them (${codeOf(strange)})`;
  }
  return null;
};

const codeOf = (character: string): string =>
  `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
