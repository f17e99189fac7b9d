import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createSealer, createSigner, type Jwks, parseSealKeys } from '@placet/proof';
import * as z from 'zod';
import { UsersProblem } from './explain.ts';
import { takeFileLock } from './file-lock.ts';
import { oneOf, SettingsProblem, secret, setting, wholeNumber } from './settings.ts';

/** What every process of Placet reads beside its service's own settings. */
export const processSettings = {
  natsUrl: setting(
    'PLACET_NATS_URL',
    z
      .string()
      .default('nats://127.0.0.1:4222')
      .refine((text) => text.split(',').every((url) => /^(nats|tls):\/\/[^\s/@]+$/.test(url)), {
        message:
          'must be addresses such as nats://host:4222, with commas; the password is a setting of its own',
      }),
    'The broker, or several nodes of it separated by commas.',
    'nats://127.0.0.1:4222',
  ),
  natsPassword: secret(
    'PLACET_NATS_PASSWORD',
    z.string({ error: 'is missing: a service has a user of its own on the broker, named like the service' }),
    'The password of the user on the broker that is named like the service.',
  ),
  logLevel: setting(
    'PLACET_LOG_LEVEL',
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'info'),
    'How much is logged, on stderr.',
    'info',
  ),
};

/** Where a service other than the gateway answers /health, /ready and /metrics. */
export const healthSettings = {
  host: setting(
    'PLACET_HOST',
    z.string().default('127.0.0.1'),
    'The address on which the service answers.',
    '127.0.0.1',
  ),
  port: setting(
    'PLACET_PORT',
    wholeNumber(0, 0, 65535),
    'The port of `/health`, `/ready` and `/metrics`; 0 takes a free one, which is logged.',
    '0',
  ),
};

const trustedKeys = z.object({
  keys: z
    .array(z.object({ kty: z.string(), crv: z.string(), x: z.string(), kid: z.string() }).loose())
    .min(1),
});

/** For services that hold no seal key: they believe a decision by its proof alone. */
export const trustSettings = {
  trusted: secret(
    'PLACET_TRUSTED_KEYS',
    z
      .string({ error: 'is missing: without it no decision could be believed' })
      .transform(readable((text) => trustedKeys.parse(JSON.parse(text)) as Jwks)),
    'The public keys of the policy and decisions services, as a JWKS: whose proofs are believed.',
  ),
};

export const storeSettings = {
  mongodbUrl: secret(
    'PLACET_MONGODB_URL',
    z
      .string()
      .regex(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb:// or mongodb+srv://')
      .optional(),
    'The MongoDB that keeps the record and the outcomes. Without it they are SQLite files in the data directory.',
  ),
};

export const fileSettings = {
  dataDir: setting(
    'PLACET_DATA',
    z.string().optional(),
    'Without MongoDB: the directory of the SQLite file, of which one instance alone can be the owner.',
    '',
  ),
};

/** The database of a service in MongoDB, which is its own. */
export const databaseOf = (service: string) => `placet_${service}`;

type Closable = { close(): Promise<void> };

/** Where a service that runs alone keeps what it owns. A file is one process's alone. */
export async function openStoreOf<T extends Closable>(
  name: string,
  { mongodbUrl, dataDir }: { mongodbUrl?: string | undefined; dataDir?: string | undefined },
  open: { mongo(place: { url: string; database: string }): Promise<T>; file(path: string): T | Promise<T> },
): Promise<T> {
  if (mongodbUrl !== undefined) return open.mongo({ url: mongodbUrl, database: databaseOf(name) });
  if (dataDir !== undefined) return openAlone(join(dataDir, `${name}.sqlite`), open.file);
  throw new SettingsProblem([
    'PLACET_MONGODB_URL is missing; for one instance alone PLACET_DATA can name a directory instead',
  ]);
}

/** The lock is a file beside it, so that whoever only reads the store, such as a backup, still can. */
async function openAlone<T extends Closable>(
  path: string,
  open: (path: string) => T | Promise<T>,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = takeFileLock(`${path}.mutex`);
  if (!lock) {
    throw new UsersProblem(
      `Another process uses ${path}, and a SQLite file has one owner. Stop that one first; for several instances of ` +
        'a service name a MongoDB in PLACET_MONGODB_URL.',
    );
  }
  try {
    const store = await open(path);
    return { ...store, close: () => store.close().finally(() => lock.release()) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What a parser throws becomes the problem of its setting; the text itself is a secret and is not repeated. */
function readable<T>(parse: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text);
    } catch (error) {
      const message = error instanceof TypeError ? error.message : 'is not a key in the form that it needs';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
  };
}

export const sealSettings = {
  sealer: secret(
    'PLACET_SEAL_KEYS',
    z
      .string({ error: 'is missing: nothing counts as genuine without it' })
      .transform(readable((text) => createSealer(parseSealKeys(text)))),
    'The seal keys, `id:base64`, one a line: the first makes seals, and at most one more is accepted.',
  ),
};

export const signerSettings = {
  signer: secret(
    'PLACET_SIGNING_KEY',
    z.string({ error: 'is missing: decisions carry a proof' }).transform(readable(createSigner)),
    'The Ed25519 key (PKCS #8, PEM) that signs the proofs of this service.',
  ),
};
