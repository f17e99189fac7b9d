import { setTimeout as sleep } from 'node:timers/promises';
import { databaseOf, explain, readSettings, UsersProblem } from '@placet/runtime';
import { MongoClient, MongoServerError } from 'mongodb';
import { mongodbSettings } from './settings.ts';

const replicaSet = 'placet';
const primaryWithinMs = 60_000;
const selectionTimeoutMs = 30_000;

const alreadyInitialized = 23;
const unauthorized = 13;
const authenticationFailed = 18;
const userExists = 51_003;

/**
 * Makes the replica set of one member and its users, or sets the passwords of the services' users to those that are
 * wanted. Twice is once.
 */
async function main(): Promise<void> {
  const settings = readSettings(mongodbSettings, process.env);
  const { adminUrl, member, adminPassword } = settings;
  const asAdmin = { auth: { username: 'admin', password: adminPassword }, authSource: 'admin' };
  await withClient(adminUrl, {}, async (client) => {
    await initiate(client, member);
    if (!(await isAccepted(adminUrl, asAdmin))) await createFirstUser(client, adminPassword);
  });
  await withClient(adminUrl, asAdmin, async (client) => {
    await putUser(client, 'decisions', settings.decisionsPassword);
    await putUser(client, 'audit', settings.auditPassword);
  });
  process.stdout.write('the replica set and its users are as they should be\n');
}

async function initiate(client: MongoClient, host: string): Promise<void> {
  const admin = client.db('admin');
  const isInitiated = async () => (await admin.command({ hello: 1 }))['setName'] !== undefined;
  if (!(await isInitiated())) {
    const config = { _id: replicaSet, members: [{ _id: 0, host }] };
    await admin.command({ replSetInitiate: config }).catch(unless(alreadyInitialized));
  }
  const deadline = Date.now() + primaryWithinMs;
  while (!(await admin.command({ hello: 1 }))['isWritablePrimary']) {
    if (Date.now() > deadline)
      throw new UsersProblem(`MongoDB did not become primary; can it reach ${host}?`);
    await sleep(250);
  }
}

async function isAccepted(url: string, credentials: Credentials): Promise<boolean> {
  const ping = (client: MongoClient) => client.db('admin').command({ ping: 1 });
  return withClient(url, credentials, ping).then(() => true, unless(authenticationFailed, false));
}

/** MongoDB lets this happen once, from its own host, while there is no user at all. */
async function createFirstUser(client: MongoClient, pwd: string): Promise<void> {
  const refused = { refused: true };
  const made = await client
    .db('admin')
    .command({ createUser: 'admin', pwd, roles: [{ role: 'root', db: 'admin' }] })
    .catch(unless(unauthorized, refused));
  if (made === refused) {
    throw new UsersProblem(
      'MongoDB has users, and its user admin another password than the secret says. Put back the old secret.',
    );
  }
}

/** Nobody reads another service's database, nor writes it. */
async function putUser(client: MongoClient, service: 'decisions' | 'audit', pwd: string): Promise<void> {
  const admin = client.db('admin');
  const roles = [{ role: 'readWrite', db: databaseOf(service) }];
  const made = await admin.command({ createUser: service, pwd, roles }).catch(unless(userExists, null));
  if (made === null) await admin.command({ updateUser: service, pwd, roles });
}

type Credentials = { auth?: { username: string; password: string }; authSource?: string };

async function withClient<T>(
  url: string,
  credentials: Credentials,
  work: (client: MongoClient) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(url, { ...credentials, serverSelectionTimeoutMS: selectionTimeoutMs });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Takes one code of the server as an answer, and throws every other error. */
function unless<T = undefined>(code: number, answer?: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof MongoServerError && error.code === code) return answer as T;
    throw error;
  };
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
