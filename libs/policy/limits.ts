export const textBytesMax = 256 * 1024;
export const rulesMax = 2_000;
export const nameCharsMax = 200;
export const reasonCharsMax = 1_000;
export const approversMax = 50;
/** In how many ways a rule can be met, and how many people one of them takes at the least. */
export const waysMax = 20;
export const placesMax = 20;
export const quorumMax = 20;
export const remindMax = 10;
export const escalateMax = 10;
export const informMax = 20;
export const choicesMin = 2;
export const choicesMax = 10;
export const choiceCharsMax = 60;
export const includesMax = 20;
export const redactMax = 50;
export const editableMax = 50;
export const tagsMax = 32;
export const testsMax = 200;
export const testValuesMax = 1_000;
export const listsMax = 50;
export const listEntriesMax = 200;
/** Together less than the stream keeps a request by default: what it forgets cannot be allowed. */
export const timeoutMs = { min: '1s', max: '5d' };
export const validForMs = { min: '1s', max: '1d' };
/** How many a limit counts to, and a budget adds up to. */
export const countMax = 1_000_000_000;
export const sumMax = 1_000_000_000_000;
/** The window of a counter. */
export const perMs = { min: '1s', max: '31d' };
/** Of all conditions together: what a policy needs of memory grows with it. */
export const partsMax = 20_000;
/** What the conditions that are asked of one request may cost together, some tenths of a second. */
export const workMax = 1_000_000;
/** Each takes some milliseconds to be compiled. */
export const patternsMax = 200;
export const problemsMax = 50;

/** No policy needs more than five levels; beyond this it is an attack or an accident. */
export const depthMax = 20;
/** Bounds what the composer has to look at; a list of rules that is only a little too long still gets its own message. */
export const entriesMax = 4_000;
export const anchorsMax = 100;
export const aliasesMax = 100;
