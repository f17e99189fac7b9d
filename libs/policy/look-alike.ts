/** Scripts with letters that cannot be told from Latin ones by looking. */
const likeLatin =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;
const latin = /\p{Script=Latin}/u;

/**
 * Why a name does not say what people read in it; null where it does. A word of one script is what it seems to who
 * reads that script; one of two is a trap for everybody. Forms for the eye, such as full-width letters, are no others.
 */
export const lookAlike = (name: string): string | null => {
  for (const word of name.split(/[^\p{L}\p{M}]+/u)) {
    const [strange] = likeLatin.exec(word) ?? [];
    if (strange !== undefined && latin.test(word)) {
      const code = strange.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
      return `mixes Latin letters with one that looks like them (U+${code})`;
    }
  }
  return name.normalize('NFKC') === name.normalize('NFC')
    ? null
    : 'has letters in another form, such as full-width ones: write them plainly';
};
