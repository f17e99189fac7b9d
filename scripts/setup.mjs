// `node scripts/setup.mjs [NAME [ARGS...]]`: makes the checkout ready to run, then runs the command NAME on Node 24.
// Nothing here needs a dependency, and everything parses on an old Node, so that it can say what is missing.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMANDS = {
  start: 'scripts/start.ts',
  token: 'scripts/token.ts',
  cluster: 'scripts/cluster.ts',
  faults: 'scripts/faults.ts',
  test: 'scripts/test.ts',
  bench: 'bench/run.ts',
  generate: 'scripts/generate.ts',
  pictures: 'scripts/pictures.ts',
  placet: 'libs/cli/main.ts',
  'deploy:secrets': 'scripts/deploy/secrets.ts',
  'deploy:streams': 'scripts/deploy/streams.ts',
  'deploy:admin': 'scripts/deploy/admin.ts',
};
// What starts no service does not wait until a broker is fetched.
const WITHOUT_BROKER = ['placet'];
const NODE_MAJOR_MIN = 20;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

function say(line) {
  process.stderr.write(`placet: ${line}\n`);
}

async function main([name, ...args]) {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
    say(
      `Node ${process.versions.node} is too old: ${NODE_MAJOR_MIN} or newer is needed (https://nodejs.org).`,
    );
    return { code: 1 };
  }
  const { SetupError } = await import('./setup/error.mjs');
  try {
    return await setUpAndRun(name, args);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return { code: 1 };
  }
}

async function setUpAndRun(name, args) {
  const { SetupError } = await import('./setup/error.mjs');
  const { endWithParent, endProcessLike, runCommand } = await import('./setup/processes.mjs');
  const { prepareDependencies } = await import('./setup/dependencies.mjs');
  const { findNatsServer } = await import('./setup/nats-server.mjs');

  if (name !== undefined && !Object.hasOwn(COMMANDS, name)) {
    throw new SetupError(`there is no command "${name}"; there are: ${Object.keys(COMMANDS).join(', ')}`);
  }
  endWithParent();

  const cacheDir = path.resolve(root, process.env['PLACET_CACHE'] || '.cache');
  const node = await prepareDependencies({ root, cacheDir, say });
  const broker = WITHOUT_BROKER.includes(name)
    ? {}
    : { NATS_SERVER: await findNatsServer({ env: process.env, cacheDir, say }) };
  if (name === undefined) return { code: 0 };

  const end = await runCommand({
    file: node,
    args: [path.join(root, COMMANDS[name]), ...args],
    cwd: root,
    env: {
      // What Node has compiled once it need not compile again: the next start takes half as long.
      NODE_COMPILE_CACHE: path.join(cacheDir, 'compiled'),
      ...process.env,
      ...broker,
      PLACET_SUPERVISOR_PID: String(process.pid),
    },
  });
  return endProcessLike(end);
}

const { code } = await main(process.argv.slice(2));
process.exit(code);
