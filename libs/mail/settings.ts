import { isIP } from 'node:net';
import { secret, setting } from '@placet/runtime';
import * as z from 'zod';

/** A mail server, as its address in the settings names it. */
export type SmtpServer = {
  host: string;
  port: number;
  /** TLS from the first byte. */
  isSecure: boolean;
  /** Nothing is said before STARTTLS. */
  requiresTls: boolean;
  /** Whose certificate is believed of a server that nobody vouches for. */
  checksCertificate: boolean;
  login: { user: string; pass: string } | null;
  connectionsMax: number;
};

/** Whom mails come from. */
export type MailAddress = { name: string; address: string };

const connectionsMax = 20;
const options = ['maxConnections', 'requireTLS', 'tls.rejectUnauthorized', 'pool'];

/** For the notifier, which tells people of approvals, and the gateway, which sends links to sign in by. */
export const mailSettings = {
  smtpServer: secret(
    'PLACET_SMTP_URL',
    z
      .string()
      .refine(
        (text) => smtpServerOf(text) !== null,
        `must be smtp:// or smtps://, user:password@ where the server wants them, and a host; of options ${options.join(', ')}`,
      )
      .transform((text) => smtpServerOf(text) ?? undefined)
      .optional(),
    'The mail server, as `smtp://user:password@mail.example.com:587`, for the gateway and the notifier. Without it nobody is told by email, nor signs in by it.',
  ),
  mailFrom: setting(
    'PLACET_MAIL_FROM',
    z
      .string()
      .refine((text) => mailAddressOf(text) !== null, 'must be an address, as Placet <placet@example.com>')
      .transform((text) => mailAddressOf(text) ?? undefined)
      .optional(),
    'Whom mails come from, as `Placet <placet@example.com>`. For the gateway and the notifier.',
    '',
  ),
};

type MailConfig = {
  smtpServer?: SmtpServer | undefined;
  mailFrom?: MailAddress | undefined;
  publicUrl?: string | undefined;
};

/** What is right by itself and cannot be together. */
export function mailDisagreements({ smtpServer, mailFrom, publicUrl }: MailConfig): string[] {
  if ((smtpServer === undefined) !== (mailFrom === undefined)) {
    return ['PLACET_SMTP_URL and PLACET_MAIL_FROM go together: set both, or neither'];
  }
  if (smtpServer === undefined || publicUrl !== undefined) return [];
  return ['PLACET_SMTP_URL needs PLACET_PUBLIC_URL: a mail links to the page where people decide'];
}

export function smtpServerOf(text: string): SmtpServer | null {
  const url = URL.parse(text);
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || !url.hostname || url.hash) return null;
  if (!['', '/'].includes(url.pathname)) return null;
  const asked = Object.fromEntries(url.searchParams);
  if (Object.keys(asked).some((name) => !options.includes(name))) return null;
  const isSecure = url.protocol === 'smtps:';
  const login = loginOf(url);
  const flags = ['requireTLS', 'tls.rejectUnauthorized', 'pool'].map((name) => asked[name] ?? 'true');
  const connections = Number(asked['maxConnections'] ?? 5);
  if (login === undefined || flags.some((flag) => flag !== 'true' && flag !== 'false')) return null;
  if (!Number.isInteger(connections) || connections < 1 || connections > connectionsMax) return null;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: url.port === '' ? (isSecure ? 465 : 587) : Number(url.port),
    isSecure,
    // Whoever sits between could hide that there is TLS, and read the password.
    requiresTls:
      asked['requireTLS'] === undefined ? login !== null && !isLoopback(host) : flags[0] === 'true',
    checksCertificate: flags[1] === 'true',
    login,
    connectionsMax: flags[2] === 'true' ? connections : 1,
  };
}

/** Undefined where one is there without the other, or no text. */
function loginOf({ username, password }: URL): SmtpServer['login'] | undefined {
  if (username === '' && password === '') return null;
  try {
    const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
    return user === '' || pass === '' ? undefined : { user, pass };
  } catch {
    return undefined;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function mailAddressOf(text: string): MailAddress | null {
  const match = /^(?:"?(?<name>[^"<>\p{C}]{0,100}?)"? *<(?<inner>[^<>]+)>|(?<bare>[^<>]+))$/u.exec(
    text.trim(),
  );
  const { name = '', inner, bare = '' } = match?.groups ?? {};
  const address = inner ?? bare;
  return /^[^\s\p{C}@<>,:;"()[\]\\]{1,64}@[^\s\p{C}@<>,:;"()[\]\\]{1,189}$/u.test(address)
    ? { name: name.trim(), address }
    : null;
}
