import { holdsSeal } from './catalogue.ts';
import { services } from './names.ts';

/** What a user of the broker may do; everything else is refused. */
export type Permissions = { publish: string[]; subscribe: string[] };

/** The account of the broker that holds the streams, and in which those work who hold the seal key. */
export const mainAccount = 'PLACET';

const jetStreamApi = '$JS.API';
/** Under which JetStream is found from an account that has none of its own. */
const importedApi = 'placetjs';
/** Where the broker itself has the answer to a question from another account sent. */
export const importedReplies = '_R_.>';

/** Whoever holds the seal key, and whoever makes the streams. */
const trusted: readonly string[] = ['deploy', ...services.filter(holdsSeal)];

export function isTrusted(user: string): boolean {
  return trusted.includes(user);
}

/**
 * Whoever holds no seal key has an account of its own. There JetStream's answers end, whatever subject they are asked
 * to: they reach nobody else, and not the API.
 */
export function accountOf(user: string): string {
  return isTrusted(user) ? mainAccount : user.toUpperCase().replaceAll('-', '_');
}

/** How the client of a service has to address JetStream. */
export function apiPrefixOf(user: string): string {
  return isTrusted(user) ? jetStreamApi : importedApi;
}

/** A subject of the main account, as it is called in an account that imports it. */
export function importedAs(subject: string): string {
  if (subject.startsWith(`${jetStreamApi}.`)) return importedApi + subject.slice(jetStreamApi.length);
  // As a client writes to a bucket whose API has another prefix.
  return subject.startsWith('$KV.') ? `${importedApi}.${subject}` : subject;
}

/** An answer is no need that another account fulfils. */
export function isReply(subject: string): boolean {
  return subject === importedReplies || subject.startsWith('_INBOX_');
}

/** The same needs, in the names of an account. */
export function insideOf(account: string, { publish, subscribe }: Permissions): Permissions {
  if (account === mainAccount) return { publish, subscribe };
  return {
    publish: publish.map((subject) => (isReply(subject) ? subject : importedAs(subject))),
    subscribe,
  };
}
