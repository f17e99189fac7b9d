import { type MailLinkAnswer, MailLinkQuestion, requests } from '@placet/events';
import { answer, approvalUrl, Refusal, type ServiceParts } from '@placet/runtime';
import type * as z from 'zod';

/** Tells the notifier where the person to whom it writes can see an approval, and decide. */
export function answerMailLinks(parts: ServiceParts, publicUrl: string | undefined): void {
  answer(parts, requests.mailLink, MailLinkQuestion, async ({ action_id }) => {
    if (publicUrl === undefined) {
      throw new Refusal('UNAVAILABLE', {
        message: 'The gateway needs PLACET_PUBLIC_URL for links in mails.',
      });
    }
    return { url: approvalUrl(publicUrl, action_id) } satisfies z.input<typeof MailLinkAnswer>;
  });
}
