import { createMailer, type Mailer } from '@placet/mail';
import { causeId, newId, type ServiceParts } from '@placet/runtime';
import type { People } from '../accounts/people.ts';
import type { GatewayConfig } from '../config.ts';
import { createAllowance } from './allowance.ts';
import type { SignInLinks } from './sign-in-links.ts';

const lifeMs = 15 * 60_000;
const hourMs = 3_600_000;

/** Brings whoever asks a link to sign in by. */
export type SignInMails = { send(email: string): Promise<void> };

type Parts = {
  people: People;
  signInLinks: SignInLinks;
  config: Pick<GatewayConfig, 'smtpServer' | 'mailFrom' | 'publicUrl'>;
};

/**
 * Null where no mail is sent. Whoever has such a link is signed in by it, so that it goes from here to the mail server
 * and through no other service.
 */
export function createSignInMails(
  { context, alarm, resources }: Pick<ServiceParts, 'context' | 'alarm' | 'resources'>,
  { people, signInLinks, config: { smtpServer, mailFrom, publicUrl } }: Parts,
): SignInMails | null {
  if (!smtpServer || !mailFrom || publicUrl === undefined) return null;
  const mailer = createMailer(smtpServer, mailFrom);
  resources.add('mails to sign in by', () => mailer.close());
  const { hostname } = new URL(publicUrl);
  // Whoever knows an address cannot fill its box, nor who knows many the mail server's patience.
  const toOne = createAllowance({ max: 3, withinMs: lifeMs });
  const toAll = createAllowance({ max: 500, withinMs: hourMs });

  return {
    /**
     * Whether there is such a person, and whether the mail went out, is nobody's business who asks. This must not
     * throw: nobody waits for it.
     */
    async send(email) {
      const wanted = email.trim().toLowerCase();
      const person = people.list().find((one) => one.email === wanted && !one.disabled);
      const now = new Date();
      if (!person || !toOne.take(person.id, now)) return;
      if (!toAll.take('all', now)) {
        context.logger.warn('so many mails to sign in by were asked for that this hour no more are sent');
        return;
      }
      const problem = await mailed(person.id, person.email).catch((error: unknown) => {
        context.logger.warn({ err: error }, 'there is no link to sign in by to be mailed');
        return 'no link could be made';
      });
      if (problem === null) return;
      await alarm({
        kind: 'sign_in_mail_failed',
        about: causeId(person.id, Math.floor(now.getTime() / hourMs)),
        message: `${person.email} asked for a link to sign in by, and was sent none: ${problem}`,
      });
    },
  };

  async function mailed(person: string, email: string): Promise<string | null> {
    const { url } = await signInLinks.make(person, { base: publicUrl ?? '', lifeMs, isMailed: true });
    return sendLink(mailer, { email, url, messageId: `<sign-in.${newId()}@${hostname}>` });
  }
}

/** Why it was not taken, or null. */
async function sendLink(
  mailer: Mailer,
  { email, url, messageId }: { email: string; url: string; messageId: string },
): Promise<string | null> {
  const failure = await mailer.send(email, {
    subject: 'Sign in to Placet',
    text: `Somebody, probably you, wants to sign in to Placet. This link works once, for 15 minutes:\n\n${url}\n\nIf it was not you, do nothing.\n`,
    messageId,
  });
  return failure?.reason ?? null;
}
