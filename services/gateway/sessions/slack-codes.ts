import { randomInt } from 'node:crypto';
import type { Person, SlackIdentity } from '@placet/events';
import { createAllowance } from './allowance.ts';
import type { Links } from './links.ts';

const lifeMs = 10 * 60_000;
/** Nothing that is taken for something else when it is read out. */
const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const codeChars = 12;

export type SlackCodes = ReturnType<typeof createSlackCodes>;

/** Whoever enters the code of a person in Slack, is that person there. */
export function createSlackCodes(links: Links) {
  const tried = createAllowance({ max: 10, withinMs: lifeMs });
  const made = createAllowance({ max: 20, withinMs: lifeMs });

  return {
    async make(person: Person, now: Date): Promise<string> {
      made.count(person.id, now);
      const code = Array.from({ length: codeChars }, () => letters[randomInt(letters.length)]).join('');
      const expires_at = new Date(now.getTime() + lifeMs).toISOString();
      await links.make({ kind: 'slack_code', person: person.id, expires_at }, code);
      return code.replace(/(.{4})(?=.)/g, '$1-');
    },

    /** Whose code it is, or what is wrong with it. */
    async use(text: string, identity: SlackIdentity, now: Date): Promise<Person | string> {
      if (!tried.take(`${identity.team} ${identity.user}`, now))
        return 'Too many attempts. Wait ten minutes.';
      const code = text.toUpperCase().replace(/[\s-]/g, '');
      const found = await links.find('slack_code', code, now);
      if (!found || (await found.use(now)) === null) {
        return 'This code is not known, or over: it works once, for ten minutes.';
      }
      return found.person;
    },
  };
}
