import type { MailAddress } from '@placet/runtime';
import { createTransport } from 'nodemailer';
import type { VendorFailure } from '../failure.ts';
import type { Mail } from './message.ts';
import { failureOf } from './outcome.ts';
import type { SmtpServer } from './settings.ts';

const connectMs = 5000;
const silentMs = 8000;
/** With what the gateway takes for a link it is less than a sender is waited for. */
const attemptMs = 10_000;
const messagesPerConnection = 100;

type Mailer = {
  /** One mail to one person; why it was not taken, or null. */
  send(email: string, mail: Omit<Mail, 'html'> & { html?: string }): Promise<VendorFailure | null>;
  close(): void;
};

export function createMailer(server: SmtpServer, from: MailAddress): Mailer {
  const transport = transportTo(server);
  return {
    async send(email, { inReplyTo, ...mail }) {
      try {
        await transport.sendMail({
          ...mail,
          from,
          to: { name: '', address: email },
          ...(inReplyTo === undefined ? {} : { inReplyTo, references: [inReplyTo] }),
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
          xMailer: false,
          disableFileAccess: true,
          disableUrlAccess: true,
          signal: AbortSignal.timeout(attemptMs),
        });
        return null;
      } catch (error) {
        return failureOf(error, email);
      }
    },
    close: () => transport.close({ force: true }),
  };
}

function transportTo({
  host,
  port,
  isSecure,
  requiresTls,
  checksCertificate,
  login,
  connectionsMax,
}: SmtpServer) {
  return createTransport({
    pool: true,
    host,
    port,
    secure: isSecure,
    requireTLS: requiresTls,
    tls: { rejectUnauthorized: checksCertificate },
    ...(login === null ? {} : { auth: login }),
    maxConnections: connectionsMax,
    maxMessages: messagesPerConnection,
    // What broke off may have been sent: whether it is sent again is not for the pool to say.
    maxRequeues: 0,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    dnsTimeout: connectMs,
    socketTimeout: silentMs,
  });
}
