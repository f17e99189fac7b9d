import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from '@placet/embedded';
import { subscriberUser } from '@placet/events';
import {
  createSigner,
  generateSigningKey,
  type Jwks,
  type Signer,
  sealKeyText,
  trusting,
} from '@placet/proof';
import { takeFileLock, UsersProblem } from '@placet/runtime';
import { passwordVariable, serviceUsers, subscribersText } from '../nats-conf.ts';

const newPassword = () => randomBytes(24).toString('base64url');

/** Where each secret of a deployment lies. The names are those that docker-compose.yml mounts. */
export const secretFiles = {
  sealKeys: 'seal.keys',
  masterKey: 'master.key',
  policyKey: 'policy.pem',
  decisionsKey: 'decisions.pem',
  trustedKeys: 'trusted-keys.json',
  natsPasswords: 'nats-passwords.conf',
  natsSubscribers: 'nats-subscribers.conf',
  natsRoutes: 'nats-routes.conf',
  mongodbPassword: (service: string) => `mongodb-${service}.password`,
  mongodbAdminPassword: 'mongodb-admin.password',
  mongodbUrl: (service: string) => `mongodb-${service}.url`,
  mongodbKey: 'mongodb.key',
  natsPassword: (user: string) => `nats-${user}.password`,
} as const;

/** The nodes of the broker when there are three, by their names in docker-compose.yml. */
const natsNodes = ['nats-1', 'nats-2', 'nats-3'];

/** Makes what is missing, and answers what it made. What is there stays; a list is added to. */
export function makeSecrets(dir: string, subscribers: readonly string[] = []): string[] {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  expectPrivate(dir, '700');
  const lockFile = join(dir, '.lock');
  const lock = takeFileLock(lockFile);
  if (!lock)
    throw new UsersProblem(`Another deploy:secrets is at work in ${dir}. Try again when it has ended.`);
  try {
    return makeMissing(dir, subscribers);
  } finally {
    rmSync(lockFile, { force: true });
    lock.release();
  }
}

/** On Windows the modes say nothing. */
function expectPrivate(path: string, mode: '600' | '700'): void {
  if (process.platform === 'win32' || (statSync(path).mode & 0o077) === 0) return;
  throw new UsersProblem(
    `${path} can be read or written by others. Find out why, then: chmod ${mode} '${path}'`,
  );
}

function makeMissing(dir: string, subscribers: readonly string[]): string[] {
  const made: string[] = [];
  const keep = (name: string, make: () => string): string => {
    const file = join(dir, name);
    if (!existsSync(file)) {
      writePrivateFile(file, `${make().trim()}\n`);
      made.push(name);
    }
    expectPrivate(file, '600');
    const text = readFileSync(file, 'utf8').trim();
    if (text === '')
      throw new UsersProblem(`${file} is empty. Put it back from a backup, or remove it for a new one.`);
    return text;
  };
  keep(secretFiles.sealKeys, () => sealKeyText({ id: 'k1', secret: randomBytes(32) }));
  keep(secretFiles.masterKey, () => randomBytes(32).toString('base64url'));
  const signers = [secretFiles.policyKey, secretFiles.decisionsKey].map((name) =>
    createSigner(keep(name, generateSigningKey)),
  );
  keep(secretFiles.trustedKeys, () => JSON.stringify({ keys: [] }));
  made.push(...addTrusted(dir, signers));
  for (const service of ['decisions', 'audit']) {
    const password = keep(secretFiles.mongodbPassword(service), newPassword);
    keep(
      secretFiles.mongodbUrl(service),
      () => `mongodb://${service}:${password}@mongodb:27017/?replicaSet=placet&authSource=admin`,
    );
  }
  keep(secretFiles.mongodbAdminPassword, newPassword);
  keep(secretFiles.mongodbKey, () => randomBytes(512).toString('base64'));
  keep(secretFiles.natsRoutes, () => routesText(newPassword()));
  const passwordOf = (user: string) => keep(secretFiles.natsPassword(user), newPassword);
  const variables = serviceUsers.map(({ user }) => `${passwordVariable(user)}: "${passwordOf(user)}"\n`);
  const names = [...new Set([...knownSubscribers(dir), ...subscribers])].toSorted();
  const others = names.map((name) => ({ name, password: passwordOf(subscriberUser(name)) }));
  // Only the broker reads these. They follow from the passwords and from what each user may do.
  const files = [
    [secretFiles.natsPasswords, variables.join('')],
    [secretFiles.natsSubscribers, subscribersText(others)],
  ] as const;
  made.push(...files.filter(([name, text]) => writeChanged(join(dir, name), text)).map(([name]) => name));
  return made;
}

function addTrusted(dir: string, signers: Signer[]): string[] {
  const file = join(dir, secretFiles.trustedKeys);
  const known = JSON.parse(readFileSync(file, 'utf8')) as Jwks;
  const trusted = trusting(known, signers);
  if (trusted === known) return [];
  writePrivateFile(file, `${JSON.stringify(trusted)}\n`);
  return known.keys.length === 0 ? [] : [secretFiles.trustedKeys];
}

/** The address of a route holds its password, and NATS puts no variable into a text: so the addresses are a secret too. */
function routesText(password: string): string {
  const routes = natsNodes.map((node) => `"nats://route:${password}@${node}:6222"`);
  return `ROUTE_PASSWORD: "${password}"\nROUTES: [${routes.join(', ')}]`;
}

/** Who has a password stays a subscriber, whether or not it is named again. */
function knownSubscribers(dir: string): string[] {
  const [before = '', after = ''] = secretFiles.natsPassword(subscriberUser('*')).split('*');
  return readdirSync(dir)
    .filter((file) => file.startsWith(before) && file.endsWith(after))
    .map((file) => file.slice(before.length, -after.length));
}

function writeChanged(file: string, text: string): boolean {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  writePrivateFile(file, text);
  return true;
}
