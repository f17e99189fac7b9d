import { eligibilityOf, isEligible, MailLinkQuestion, requests } from '@placet/events';
import { answer, approvalUrl, Refusal, type ServiceParts, StoreFull } from '@placet/runtime';
import type { People } from '../accounts/people.ts';
import { readStanding } from '../checks/asked-in-vain.ts';
import type { GatewayConfig } from '../config.ts';
import type { Links } from './links.ts';

/** Longer than anybody can decide by it: afterwards it still says how it ended. */
const afterEndMs = 86_400_000;

type Parts = { people: People; links: Links; config: Pick<GatewayConfig, 'publicUrl' | 'mailFrom'> };

/**
 * Makes the links that the notifier puts into mails: for who may vote now, on the payload as it is now, and not at all
 * where no mail is sent. Whoever has become the notifier can vote as those whom it mails, and as nobody else.
 */
export function answerMailLinks(parts: ServiceParts, { people, links, config }: Parts): void {
  const { publicUrl, mailFrom } = config;
  answer(
    parts,
    requests.mailLink,
    MailLinkQuestion,
    async ({ agent, action_id, person: id, payload_digest }) => {
      if (publicUrl === undefined || mailFrom === undefined) {
        throw new Refusal('FORBIDDEN', {
          message:
            'The gateway was not told that mail is sent: set PLACET_MAIL_FROM and PLACET_PUBLIC_URL there too.',
        });
      }
      const standing = await readStanding(parts.context, { agent, actionId: action_id });
      const person = people.list().find((one) => one.id === id && !one.disabled);
      if (!standing || !person) throw new Refusal('NOT_FOUND');
      const { needed } = standing;
      if (needed.data.payload_digest !== payload_digest) throw new Refusal('STALE_PAYLOAD');
      if (!isEligible(eligibilityOf(standing, person))) throw new Refusal('NOT_ELIGIBLE');
      const expires_at = new Date(Date.parse(needed.data.deadline) + afterEndMs).toISOString();
      const link = { kind: 'mail', person: id, agent, action_id, payload_digest, expires_at } as const;
      try {
        return { url: `${publicUrl}/mail/${await links.make(link)}` };
      } catch (error) {
        if (!(error instanceof StoreFull)) throw error;
        await tellOfFull();
        // Who signs in needs no link of their own.
        return { url: approvalUrl(publicUrl, action_id) };
      }
    },
  );

  async function tellOfFull(): Promise<void> {
    await parts.alarm({
      kind: 'mail_links_full',
      about: new Date().toISOString().slice(0, 10),
      message:
        'There is no room for links by which people decide from a mail: mails lead to where people sign in.',
    });
  }
}
