/** The scripts of UAX #31 that names are written in today, beside Latin. */
const scripts = [
  ...['Arabic', 'Armenian', 'Bengali', 'Bopomofo', 'Cyrillic', 'Devanagari', 'Ethiopic', 'Georgian', 'Greek'],
  ...['Gujarati', 'Gurmukhi', 'Han', 'Hangul', 'Hebrew', 'Hiragana', 'Kannada', 'Katakana', 'Khmer', 'Lao'],
  ...['Malayalam', 'Myanmar', 'Oriya', 'Sinhala', 'Tamil', 'Telugu', 'Thaana', 'Thai', 'Tibetan'],
];
const inScripts = scripts.map((name) => `\\p{Script=${name}}`).join('');
/** Latin as languages write it; not its phonetic and other letters, nor those that differ by a dot that is not there. */
const latinLetters =
  'A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0130\u0132-\u0137\u0139-\u0148\u014a-\u017e\u1e00-\u1ef9';
/** Letters with their marks, and what stands on every keyboard. */
const allowed = new RegExp(`^[ -~${latinLetters}${inScripts}\\p{M}\u30fc]*$`, 'u');
const foreignDigit = /(?![0-9])\p{N}/u;
const invisible = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Letters that have a double among the Latin ones: a word of nothing else reads as Latin. */
const doubles = /^[аеорсухіјѕһԁԛԝӏАВЕКМНОРСТУХІЈЅԌԛοαινρτυκχΑΒΕΖΗΙΚΜΝΟΡΤΥΧօոսհցզԼՕՍՏ]+$/u;
const likeLatin = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}]/u;
const latin = /\p{Script=Latin}/u;
/** What is written from right to left is shown in another order than it has, beside what is not. */
const leftward = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Thaana}]/u;

/**
 * Why a name does not say what people read in it; null where it does. Rules are for names as they are written, and
 * people judge them as they look.
 */
export const lookAlike = (name: string): string | null => {
  const [unseen] = invisible.exec(name) ?? [];
  if (unseen !== undefined) return `has a character that cannot be seen (${codeOf(unseen)})`;
  if (/^ | $| {2}/.test(name)) return 'has spaces that cannot be seen: at its ends, or two in a row';
  if (name !== name.normalize('NFC')) return 'has letters put together from parts: write it in the form NFC';
  if (name !== name.normalize('NFKC'))
    return 'has letters in another form, such as full-width ones: write them plainly';
  const odd = [...name].find((character) => !allowed.test(character) || foreignDigit.test(character));
  if (odd !== undefined) return `has a letter or a mark that looks like another (${codeOf(odd)})`;
  if (leftward.test(name) && /[A-Za-z0-9]/.test(name))
    return 'mixes what is written from left to right with what is not: it would be shown in another order';
  for (const word of name.split(/[^\p{L}\p{M}]+/u)) {
    const [strange] = likeLatin.exec(word) ?? [];
    if (strange === undefined) continue;
    if (latin.test(word)) return `mixes Latin letters with one that looks like them (${codeOf(strange)})`;
    if (doubles.test(word)) return `has a word that could be read as Latin letters (${codeOf(strange)})`;
  }
  return null;
};

const codeOf = (character: string): string =>
  `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
