import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type {} from '../testing/mongodb-global-setup.ts';
import { freshDatabase, provideMongo } from './mongodb.ts';
import { startServer } from './mongodb-server.ts';

const nothing = { PATH: '/nowhere', HOME: '/nowhere', DOCKER_HOST: 'unix:///nowhere/docker.sock' };

describe('a MongoDB for tests', () => {
  test('is the one that MONGODB_URL names, which stays when we stop', async () => {
    const { url } = inject('mongo');
    const mongo = await provideMongo({ ...nothing, MONGODB_URL: url });
    expect(mongo).toMatchObject({ url, kind: expect.stringContaining('(MONGODB_URL)') });
    await mongo.stop();
    await (await provideMongo({ ...nothing, MONGODB_URL: url })).stop();
  });

  test('is not replaced by another when the one that was named is down', async () => {
    const providing = provideMongo({ MONGODB_URL: 'mongodb://127.0.0.1:1/?directConnection=true' });
    await expect(providing).rejects.toThrow('MONGODB_URL is set and no MongoDB answers there');
  });

  test('that is not to be had is an error that says why and what to do', async () => {
    const problem = await provideMongo(nothing).catch((error: Error) => error.message);
    expect(problem).toContain('no Docker engine answers');
    expect(problem).toContain('no mongod on the PATH');
    expect(problem).toContain('no python3 on the PATH');
    expect(problem).toContain('set MONGODB_URL');
  });

  test('is not waited for from a Docker socket that says nothing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'placet-docker-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const socket = join(directory, 'docker.sock');
    const silent = createServer();
    await new Promise<void>((done) => silent.listen(socket, done));
    onTestFinished(() => void silent.close());
    const providing = provideMongo({ ...nothing, DOCKER_HOST: `unix://${socket}` });
    await expect(providing).rejects.toThrow('no Docker engine answers');
  }, 5_000);

  test('gives each test file a database of its own', async () => {
    const { url } = inject('mongo');
    const [one, two] = [freshDatabase(url), freshDatabase(url)];
    expect(one.database).not.toBe(two.database);
    const client = new MongoClient(url);
    onTestFinished(() => client.close());
    const things = client.db(one.database).collection('things');
    await things.insertOne({ a: 1 });
    await one.drop();
    expect(await things.countDocuments()).toBe(0);
  });
});

describe('a server for tests', () => {
  test('that ends at once is an error with what it said', async () => {
    const starting = startServer(() => ({
      command: '/bin/sh',
      args: ['-c', 'echo no licence; exit 3'],
      ready: () => Promise.reject(new Error('not yet')),
    }));
    await expect(starting).rejects.toThrow(/exit code 3.*no licence/s);
  });

  test('that cannot be run is an error', async () => {
    const starting = startServer(() => ({
      command: '/nowhere/mongod',
      args: [],
      ready: () => Promise.reject(new Error('not yet')),
    }));
    await expect(starting).rejects.toThrow('/nowhere/mongod did not start');
  });

  test('is gone with its files when it is stopped', async () => {
    let directory = '';
    const server = await startServer((_, ours) => {
      directory = ours;
      return { command: 'sleep', args: ['100'], ready: async () => {} };
    });
    expect(existsSync(directory)).toBe(true);
    await server.stop();
    expect(existsSync(directory)).toBe(false);
  });

  test('is gone with its files when its owner is killed', async () => {
    const script = `
      import { startServer } from ${JSON.stringify(`${import.meta.dirname}/mongodb-server.ts`)};
      await startServer((port, directory) => {
        const args = ['-c', 'echo $$ > pid; exec sleep 100'];
        const ready = async () => {
          const pid = (await import('node:fs')).readFileSync(directory + '/pid', 'utf8').trim();
          if (!pid) throw new Error('not yet');
          process.stdout.write(JSON.stringify({ pid: Number(pid), directory }) + '\\n');
        };
        return { command: '/bin/sh', args, ready };
      });`;
    const options = ['--input-type=module', '-e', script];
    const owner = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void owner.kill('SIGKILL'));
    const said = await new Promise<string>((done) => owner.stdout.once('data', (data) => done(String(data))));
    const { pid, directory } = JSON.parse(said) as { pid: number; directory: string };
    expect(isRunning(pid)).toBe(true);
    owner.kill('SIGKILL');
    await expect.poll(() => existsSync(directory), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
