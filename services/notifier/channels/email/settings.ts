import { isIP } from 'node:net';
import { mailFromSetting, secret } from '@placet/runtime';
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

const connectionsMax = 20;
const options = ['maxConnections', 'requireTLS', 'tls.rejectUnauthorized', 'pool'];

export const emailSettings = {
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
    'The mail server, as `smtp://user:password@mail.example.com:587`. Without it nobody is told by email.',
  ),
  mailFrom: mailFromSetting,
};

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
