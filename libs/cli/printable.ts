/** Characters that move the cursor, end a line or turn the direction of what follows. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** A text of somebody else as one line of a terminal, which it cannot steer. */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\n\r\t]+/g, ' ')
    .replace(unprintable, '');

/** A JSON document with the same characters written as escapes. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(unprintable, (character) =>
    // Line feeds are the document's own: those of its texts are escaped already.
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
