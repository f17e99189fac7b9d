import { visible } from '@placet/text';

/** Why a mail was not taken, in words for whoever runs Placet, and whether it can be tried again. */
export type MailFailure = { kind: 'passing' | 'lasting'; reason: string };

const saidCharsMax = 300;

/** A certificate that nobody vouches for is not vouched for in a minute either. */
const certificates = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/;
/** Nothing was asked of a server, because it could not be asked like this. */
const ours = new Set(['ENOAUTH', 'ECONFIG', 'EOAUTH2']);

/** What nodemailer says of it: a code of its own, the code of the system below it, and what the server answered. */
type MailError = {
  code: string;
  originalCode: string;
  responseCode: number;
  response: string;
  command: string;
  message: string;
};

export function failureOf(error: unknown, email: string): MailFailure {
  const told = mailErrorOf(error);
  const said = told.response === '' ? told.message : told.response;
  const words = visible(said).replaceAll('\n', ' ').slice(0, saidCharsMax);
  const isLasting =
    isPermanent(told.responseCode) || ours.has(told.code) || certificates.test(told.originalCode);
  return {
    kind: isLasting ? 'lasting' : 'passing',
    reason: `${whatFailed(told, email)}: ${words}${advice(told)}`,
  };
}

/** 503 says that the talk went wrong, not the mail (RFC 5321, 4.2). */
const isPermanent = (code: number) => code >= 500 && code <= 599 && code !== 503;

function whatFailed({ code, command, responseCode }: MailError, email: string): string {
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'the mail server does not let us in';
  if (command === 'MAIL FROM') return 'the mail server does not take mails from us';
  if (command === 'RCPT TO') return `the mail server does not take mails for ${email}`;
  if (responseCode > 0) return `the mail server did not take the mail for ${email}`;
  if (code === 'EABORT') return 'the mail server took too long';
  return 'the mail server was not reached';
}

function advice({ code, originalCode, command, responseCode, response }: MailError): string {
  if (code === 'EAUTH' || code === 'ENOAUTH' || responseCode === 530) {
    return responseCode >= 400 && responseCode < 500 ? '' : '; set user and password in PLACET_SMTP_URL anew';
  }
  if (certificates.test(originalCode))
    return '; its certificate is not one that we know: correct it, or the host in PLACET_SMTP_URL';
  if (command === 'STARTTLS' || code === 'ETLS')
    return '; a password is sent over TLS alone: correct the server, or use smtps://';
  if (command === 'MAIL FROM') return '; the server has to take PLACET_MAIL_FROM';
  if (responseCode === 552 || responseCode === 452 || /\b[45]\.2\.2\b/.test(response))
    return '; the mailbox is full, or has no room for this';
  if (command === 'RCPT TO' && isPermanent(responseCode)) return "; correct the person's address";
  if (['EDNS', 'ESOCKET', 'ECONNECTION', 'ETIMEDOUT'].includes(code))
    return '; look at PLACET_SMTP_URL, and whether the server runs';
  return '';
}

function mailErrorOf(error: unknown): MailError {
  const { code, originalCode, responseCode, response, command, message } = Object(error);
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    code: text(code),
    originalCode: text(originalCode),
    responseCode: typeof responseCode === 'number' ? responseCode : 0,
    response: text(response),
    command: text(command),
    message: text(message) || 'no reason was given',
  };
}
