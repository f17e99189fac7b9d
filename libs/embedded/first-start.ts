import { join } from 'node:path';
import type { Gateway } from '@placet/gateway-service';
import { credentialsMax, hasEnded } from '@placet/gateway-service/accounts/credentials.ts';
import * as z from 'zod';
import { readJsonFile, writePrivateFile } from './private-file.ts';

const Credentials = z.object({ agentKey: z.string(), personToken: z.string() });
export type Credentials = z.infer<typeof Credentials>;

const firstAgent = 'my-agent';
const by = 'system:first-start';

export const firstPolicy = `# The policy of every agent that has none of its own. The first rule that matches decides.
version: 1
rules:
  - name: reading is harmless
    action: read.*
    decide: allow
  - name: no dropped databases
    action: database.drop
    decide: deny
    reason: Databases are dropped by people, not by agents.
default: require_approval
`;

export const credentialsFile = (dataDir: string) => join(dataDir, 'credentials.json');

/**
 * What a newcomer needs to begin: an agent with a key, a person with a token, and a policy. Made once, and kept in a
 * file that only its owner can read. Who has lost that file has still the machine, so new ones are made.
 */
export async function prepareFirstStart(
  gateway: Gateway,
  { dataDir, adminEmail }: { dataDir: string; adminEmail: string },
): Promise<Credentials> {
  await ensureFirstPolicy(gateway);
  const kept = Credentials.safeParse(readJsonFile(credentialsFile(dataDir)));
  if (kept.success) return kept.data;
  const credentials = {
    agentKey: await firstAgentKey(gateway),
    personToken: await adminToken(gateway, adminEmail),
  };
  writePrivateFile(credentialsFile(dataDir), `${JSON.stringify(credentials, null, 2)}\n`);
  return credentials;
}

const signInMs = 3_600_000;

/** By which the first administrator signs in to the pages, once. Whoever sees what was printed has the machine. */
export async function firstSignInLink(
  gateway: Gateway,
  { personToken }: Credentials,
  base: string,
): Promise<string | null> {
  const person = gateway.people.authenticate(personToken, new Date());
  return person && (await gateway.signInLinks.make(person.id, { base, lifeMs: signInMs })).url;
}

export async function ensureFirstPolicy({ policies }: Pick<Gateway, 'policies'>): Promise<void> {
  if (policies.has('default')) return;
  await policies.put('default', firstPolicy, { by, why: 'the first policy' });
}

export async function firstAgentKey({ agents }: Pick<Gateway, 'agents'>): Promise<string> {
  const now = new Date();
  const known = agents.list().find(({ name }) => name === firstAgent);
  if (known) return (await agents.addKey(firstAgent, by, now)).key;
  return (await agents.create(firstAgent, 'unassigned', by, now)).key;
}

/**
 * A token for the first administrator that there is, or for a new one. Who is known by this address and is none any
 * more is one again: whoever runs this has the machine.
 */
export async function adminToken({ people }: Pick<Gateway, 'people'>, email: string): Promise<string> {
  const now = new Date();
  const admin = people.list().find(({ roles, disabled }) => !disabled && roles.includes('admin'));
  if (!admin) {
    const known = people.list().find((person) => person.email === email.trim().toLowerCase());
    if (!known) return (await people.create({ email, roles: ['admin', 'approver'] }, by, now)).token;
    await people.update(known.id, { roles: [...known.roles, 'admin'], disabled: false }, by);
    return (await people.addToken(known.id, by, now)).token;
  }
  const [oldest, ...others] = admin.tokens.filter((token) => !hasEnded(token, now));
  // A lost token must not keep its owner out because there are too many lost ones.
  if (oldest && others.length + 1 >= credentialsMax) await people.revokeToken(admin.id, oldest.id, by, now);
  return (await people.addToken(admin.id, by, now)).token;
}
