import { consumers, eventStream } from '@placet/events';
import {
  eventually,
  type FakeSmtp,
  type ReceivedMail,
  type SmtpOptions,
  startFakeSmtp,
  startTestPlacet,
} from '@placet/testing';
import { expect } from 'vitest';
import { personWith, type RawBroker } from '../support.ts';

export const policy = `
version: 1
rules:
  - action: refund.create
    decide: require_approval
    approvers: ["role:manager"]
  - action: refund.two
    decide: require_approval
    approvers: ["role:manager"]
    quorum: 2
    editable: [payload.amount]
  - action: refund.named
    decide: require_approval
    approvers: ["user:dana@example.com", "role:approver"]
  - action: refund.soon
    decide: require_approval
    approvers: ["role:manager"]
    timeout: 18s
  - action: refund.reminded
    decide: require_approval
    approvers: ["role:manager"]
    timeout: 20s
    remind: [10%]
  - action: refund.channel
    decide: require_approval
    approvers: ["#approvals"]
  - action: refund.paged
    decide: require_approval
    approvers: ["pagerduty:airline"]
  - action: refund.everywhere
    decide: require_approval
    approvers: ["#approvals", "pagerduty:airline", "role:manager"]
  - action: refund.later
    decide: require_approval
    approvers: ["user:admin@example.com"]
    timeout: 1h
    escalate: [{ after: 1s, to: ["role:manager"] }]
default: require_approval
`;

export type Options = { smtp?: SmtpOptions; url?: (smtp: FakeSmtp) => string; env?: Record<string, string> };

/** A Placet that sends mails, with two managers. */
export async function startWithEmail({
  smtp: options = {},
  url = (smtp) => smtp.url,
  env = {},
}: Options = {}) {
  const smtp = await startFakeSmtp(options);
  const placet = await startTestPlacet({
    policy,
    env: {
      PLACET_PUBLIC_URL: 'https://placet.example.com',
      PLACET_SMTP_URL: url(smtp),
      PLACET_MAIL_FROM: 'Placet <placet@example.com>',
      ...env,
    },
  });
  const people = {
    mia: await personWith(placet, 'mia@example.com', ['manager']),
    max: await personWith(placet, 'max@example.com', ['manager']),
  };
  return { smtp, placet, ...people };
}

export const mailsTo = ({ mails }: FakeSmtp, email: string) =>
  mails.filter(({ envelope }) => envelope.to.includes(email));

/** As many mails as there are to come to this person, in their order. */
export async function letters(smtp: FakeSmtp, email: string, count = 1): Promise<ReceivedMail[]> {
  return eventually(() => {
    const found = mailsTo(smtp, email);
    expect(found).toHaveLength(count);
    return found;
  });
}

export const linksIn = (mail: ReceivedMail | undefined): string[] => [
  ...new Set([...(mail?.html ?? '').matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href)),
];

export const idOf = (mail: ReceivedMail | undefined) => mail?.headers.get('message-id');

/** Everybody who is to get a mail has got it. */
export async function nothingIsDue({ jsm }: RawBroker): Promise<void> {
  await eventually(async () => {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(
      eventStream,
      consumers.notifierEmail.durable,
    );
    expect({ num_pending, num_ack_pending }).toEqual({ num_pending: 0, num_ack_pending: 0 });
  });
}
