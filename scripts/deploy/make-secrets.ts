import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from '@placet/embedded';
import { createSigner, generateSigningKey, sealKeyText } from '@placet/proof';
import { brokerUsers, passwordVariable } from '../nats-conf.ts';

const newPassword = () => randomBytes(24).toString('base64url');

/** Where each secret of a deployment lies. The names are those that docker-compose.yml mounts. */
export const secretFiles = {
  sealKeys: 'seal.keys',
  policyKey: 'policy.pem',
  decisionsKey: 'decisions.pem',
  trustedKeys: 'trusted-keys.json',
  natsPasswords: 'nats-passwords.conf',
  natsRoutes: 'nats-routes.conf',
  mongodbPassword: 'mongodb.password',
  mongodbAdminPassword: 'mongodb-admin.password',
  mongodbUrl: 'mongodb.url',
  mongodbKey: 'mongodb.key',
  natsPassword: (user: string) => `nats-${user}.password`,
} as const;

/** The nodes of the broker when there are three, by their names in docker-compose.yml. */
const natsNodes = ['nats-1', 'nats-2', 'nats-3'];

/** Makes what is missing, and answers what it made. Nothing that is there is changed. */
export function makeSecrets(dir: string, subscribers: readonly string[] = []): string[] {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const made: string[] = [];
  const keep = (name: string, make: () => string): string => {
    const file = join(dir, name);
    if (!existsSync(file)) {
      writePrivateFile(file, `${make().trim()}\n`);
      made.push(name);
    }
    return readFileSync(file, 'utf8').trim();
  };
  keep(secretFiles.sealKeys, () => sealKeyText({ id: 'k1', secret: randomBytes(32) }));
  const signers = [secretFiles.policyKey, secretFiles.decisionsKey].map((name) =>
    createSigner(keep(name, generateSigningKey)),
  );
  keep(secretFiles.trustedKeys, () => JSON.stringify({ keys: signers.map(({ publicJwk }) => publicJwk) }));
  const password = keep(secretFiles.mongodbPassword, newPassword);
  keep(
    secretFiles.mongodbUrl,
    () => `mongodb://placet:${password}@mongodb:27017/?replicaSet=placet&authSource=admin`,
  );
  keep(secretFiles.mongodbAdminPassword, newPassword);
  keep(secretFiles.mongodbKey, () => randomBytes(512).toString('base64'));
  keep(secretFiles.natsRoutes, () => routesText(newPassword()));
  const passwords = brokerUsers(subscribers).map(({ user }) => {
    return { user, password: keep(secretFiles.natsPassword(user), newPassword) };
  });
  made.push(...writePasswords(dir, passwords));
  return made;
}

/** The address of a route holds its password, and NATS puts no variable into a text: so the addresses are a secret too. */
function routesText(password: string): string {
  const routes = natsNodes.map((node) => `"nats://route:${password}@${node}:6222"`);
  return `ROUTE_PASSWORD: "${password}"\nROUTES: [${routes.join(', ')}]`;
}

/** All passwords of the broker in one file, which only the broker reads. */
function writePasswords(dir: string, passwords: { user: string; password: string }[]): string[] {
  const file = join(dir, secretFiles.natsPasswords);
  const text = passwords.map(({ user, password }) => `${passwordVariable(user)}: "${password}"\n`).join('');
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return [];
  writePrivateFile(file, text);
  return [secretFiles.natsPasswords];
}
