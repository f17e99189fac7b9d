import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SetupError } from './error.mjs';
import { withLock } from './lock.mjs';
import { pathWithoutProject, run } from './processes.mjs';
import { isAtLeast, parseVersion, rememberingProbe } from './versions.mjs';

const NODE_FLOOR = [24, 0, 0];
const NPM_FLOOR = [10, 0, 0];
const COMPLAINT_LINES_MAX = 40;

/** Installs what the lock file says when that is not there yet, and returns the Node that runs Placet. */
export async function prepareDependencies({ root, cacheDir, say }) {
  const probe = rememberingProbe(cacheDir);
  const ready = () => (isInstalled(root) ? findNode(root, probe) : undefined);
  return (
    ready() ??
    withLock(path.join(root, '.cache', 'setup.lock'), { say }, async (onStart) => {
      if (!isInstalled(root)) await install(root, say, onStart);
      return ready() ?? repairNode(root, probe, say, onStart);
    })
  );
}

/** What an installation is made for: the two files that say what is wanted, and the kind of machine. */
export function fingerprint(root) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const name of ['package-lock.json', 'package.json']) hash.update(readFileSync(path.join(root, name)));
  return hash.digest('hex');
}

export function isInstalled(root) {
  if (!isWhole(root)) return false;
  if (readStamp(root).fingerprint === fingerprint(root)) return true;
  // An installation made by hand (`npm install`) is as good as ours when it holds what the lock file says.
  if (!fulfilsLock(root)) return false;
  writeStamp(root, { fingerprint: fingerprint(root) });
  return true;
}

/** npm writes its own list of what it installed as the last thing: no list, or an entry without files, is half. */
function isWhole(root) {
  const installed = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!installed) return false;
  return Object.keys(installed).every((key) => existsSync(path.join(root, key, 'package.json')));
}

function fulfilsLock(root) {
  const manifest = readJson(path.join(root, 'package.json'));
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages;
  const installed = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!manifest || !wanted || !installed) return false;
  const inStep = ['dependencies', 'devDependencies'].every((kind) =>
    isDeepStrictEqual(manifest[kind] ?? {}, wanted['']?.[kind] ?? {}),
  );
  const present = Object.entries(wanted).every(([key, entry]) => {
    if (key === '') return true;
    const found = installed[key];
    if (!found) return Boolean(entry.optional ?? entry.devOptional);
    return found.version === entry.version && found.integrity === entry.integrity;
  });
  return inStep && present && Object.keys(installed).every((key) => key in wanted);
}

async function install(root, say, onStart) {
  await checkNpm(root);
  say('installing dependencies (npm ci)');
  const result = await npm(
    root,
    ['ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund'],
    onStart,
  );
  if (!result.ok || !isWhole(root)) {
    const problem = result.problem ?? 'node_modules is not complete';
    throw new SetupError(`npm ci failed (${problem}):\n${complaint(result.output)}`);
  }
  writeStamp(root, { fingerprint: fingerprint(root) });
}

/** npm's complaint without the page of usage that it puts after it. */
function complaint(output) {
  const lines = output.trim().split('\n');
  const usage = lines.findIndex((line) => /^npm error (Usage:|Clean install a project)/.test(line));
  return lines
    .slice(0, usage < 0 ? undefined : usage)
    .slice(0, COMPLAINT_LINES_MAX)
    .join('\n');
}

async function checkNpm(root) {
  const { ok, output, problem } = await npm(root, ['--version']);
  const version = ok ? parseVersion(output) : undefined;
  if (!version)
    throw new SetupError(`npm cannot be run (${problem}); it comes with Node (https://nodejs.org)`);
  if (!isAtLeast(version, NPM_FLOOR)) {
    throw new SetupError(
      `npm ${version.join('.')} is too old: ${NPM_FLOOR[0]} or newer is needed.\nType: npm install -g npm@latest`,
    );
  }
}

function npm(root, args, onStart) {
  const env = { ...process.env, PATH: pathWithoutProject(process.env, root) };
  // Windows has only npm.cmd, which needs a shell; the arguments are our own constants.
  return run('npm', args, { cwd: root, env, shell: process.platform === 'win32', onStart });
}

export function pinnedNode(root) {
  return path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

function findNode(root, probe) {
  const file = pinnedNode(root);
  const { version } = probe(file);
  if (version && isAtLeast(version, NODE_FLOOR)) return file;
  return readStamp(root).nodeRebuilt ? ownNode() : undefined;
}

function ownNode() {
  return isAtLeast(parseVersion(process.versions.node), NODE_FLOOR) ? process.execPath : undefined;
}

/** npm 12 skips install scripts that are not allowed, and says nothing; so does `ignore-scripts` in an .npmrc. */
async function repairNode(root, probe, say, onStart) {
  say('Node 24 is not there although npm installed it; trying: npm rebuild node');
  await npm(root, ['rebuild', 'node', '--loglevel=error'], onStart);
  writeStamp(root, { ...readStamp(root), nodeRebuilt: true });
  const node = findNode(root, probe);
  if (node) return node;
  throw new SetupError(
    [
      'Placet runs on Node 24, and npm did not install it (the package "node" could not run its install script).',
      'Type: npm rebuild node --ignore-scripts=false',
      'or install Node 24 or newer yourself (https://nodejs.org), and start again.',
    ].join('\n'),
  );
}

const stampFile = (root) => path.join(root, 'node_modules', '.placet-setup.json');

function readStamp(root) {
  return readJson(stampFile(root)) ?? {};
}

function writeStamp(root, stamp) {
  writeFileSync(stampFile(root), JSON.stringify(stamp));
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
