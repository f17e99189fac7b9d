import { isSameEmail, type Reachable, standingVotes } from '@placet/events';
import { createMailer, type MailAddress, type SmtpServer } from '@placet/mail';
import { approvalUrl, newId } from '@placet/runtime';
import * as z from 'zod';
import type { CardChannel, Check, Sent, Updated } from '../../card-channel.ts';
import { lostFor } from '../../routes.ts';
import { insteadText, remindersOf } from '../../text/approval.ts';
import { checkText } from '../../text/check.ts';
import type { Told } from '../../told.ts';
import { refusedBy } from '../failure.ts';
import { isDecidedByMail, type Occasion } from './letter.ts';
import { mailOf } from './message.ts';

/** All people of an approval are told one after the other. */
const everyMs = 50;

const prefix = 'user:';
const otherAddress =
  'the gateway names a link elsewhere: set the same PLACET_PUBLIC_URL for the gateway and the notifier';

/** What the person was last sent, and which mail the others belong under. */
const Handle = z.object({
  root: z.string(),
  revision: z.number().int(),
  reminders: z.number().int(),
  isOver: z.boolean(),
});
type Handle = z.infer<typeof Handle>;

type EmailOptions = {
  server: SmtpServer;
  from: MailAddress;
  publicUrl: string;
  /** The address at which this person sees and decides it, as it is now. */
  linkFor(told: Told, person: Reachable): Promise<string>;
};

/** People who are nowhere else to be told get a mail, with a link that is theirs alone. */
export function createEmailChannel({ server, from, publicUrl, linkFor }: EmailOptions): CardChannel {
  const mailer = createMailer(server, from);
  const host = new URL(publicUrl).hostname;

  return {
    kind: 'email',
    placeOf: () => ({ name: 'the mail server', everyMs }),
    // What a mail server has taken it does not show again. The same mail twice has the same id.
    find: async () => ({ outcome: 'looked', handle: null }),

    async send(target, told): Promise<Sent> {
      const person = personAt(target, told);
      if (!person) return { outcome: 'failed', reason: `${emailOf(target)} is not asked any more` };
      const occasion = told.ended ? 'ended' : 'asked';
      return mailed(target, told, { occasion, person, shown: undefined });
    },

    async update(handle, target, told, isTurn): Promise<Updated> {
      const shown = Handle.parse(JSON.parse(handle));
      const person = personAt(target, told);
      const occasion = occasionOf(told, shown, person);
      // A vote of somebody else is no reason for a mail.
      if (occasion === null) return { outcome: 'delivered', handle };
      if (!(await isTurn())) return { outcome: 'waits', handle };
      return mailed(target, told, { occasion, person, shown });
    },

    async check(target): Promise<Check> {
      const messageId = `<test.${newId()}@${host}>`;
      const test = { subject: 'A test by Placet', text: checkText, messageId };
      const failure = await mailer.send(emailOf(target), test);
      return failure === null ? { ok: true } : { ok: false, reason: failure.reason };
    },

    close: () => mailer.close(),
  };

  /** Where a mail decides nothing, it leads to where people sign in. */
  function whereTo(told: Told, person: Reachable): Promise<string> | string {
    return isDecidedByMail(told.needed) ? linkFor(told, person) : approvalUrl(publicUrl, told.actionId);
  }

  async function mailed(
    target: string,
    told: Told,
    {
      occasion,
      person,
      shown,
    }: { occasion: Occasion; person: Reachable | undefined; shown: Handle | undefined },
  ): Promise<Sent> {
    const email = emailOf(target);
    const link = person && occasion !== 'ended' ? await whereTo(told, person) : null;
    // Who could answer in the gateway's place would have people sign in elsewhere.
    if (link !== null && !link.startsWith(`${publicUrl}/`))
      return { outcome: 'failed', reason: otherAddress };
    const instead = person ? insteadText(lostFor(person, told)) : null;
    const parts = { occasion, email, as: person?.as ?? [], link, root: shown?.root, host, instead };
    const mail = mailOf(told, parts);
    const failure = await mailer.send(email, mail);
    if (failure) return refusedBy(failure);
    const handle: Handle = {
      root: shown?.root ?? mail.messageId,
      revision: told.needed.revision,
      reminders: remindersOf(told),
      isOver: occasion === 'ended',
    };
    return { outcome: 'delivered', handle: JSON.stringify(handle) };
  }
}

const emailOf = (target: string) => target.slice(prefix.length);

function personAt(target: string, { people }: Told): Reachable | undefined {
  return people.find(({ email }) => isSameEmail(email, emailOf(target)));
}

/** What there is to say to somebody who was told before; null where that still holds. */
function occasionOf(told: Told, shown: Handle, person: Reachable | undefined): Occasion | null {
  if (shown.isOver) return null;
  if (told.ended) return 'ended';
  // Who may not vote any more hears only how it ends.
  if (!person) return null;
  if (told.needed.revision > shown.revision) return 'changed';
  const votes = standingVotes(told.standing.votes.map(({ data }) => data));
  const hasVoted = votes.some(({ voter }) => voter.id === person.id);
  return remindersOf(told) > shown.reminders && !hasVoted ? 'reminded' : null;
}
