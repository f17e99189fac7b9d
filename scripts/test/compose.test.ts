import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { nodeFlags } from '@placet/cluster';
import { services } from '@placet/events';
import { releaseAfterEach, temporaryDirectory } from '@placet/testing/cleanup.ts';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, test } from 'vitest';
import { makeSecrets } from '../deploy/make-secrets.ts';
import { type ComposeService, readCompose, readEnvFile, root, secretMounts } from './compose.ts';

releaseAfterEach();

const user = { DEPLOY_USER: '1000:1000' };
const single = readCompose(user);
const cluster = readCompose({ ...user, ...readEnvFile('deploy/cluster.env') });
const all = Object.entries(single.services);
const ofPlacet = all.filter(([, { image }]) => image.startsWith('placet:'));
const oneShots = ['volumes', 'deploy-mongodb', 'deploy-streams', 'deploy-admin'];
const brokers = ['nats-1', 'nats-2', 'nats-3'];
const packageJson = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));

describe('docker-compose.yml', () => {
  // The Compose Specification's own, from compose-spec/compose-go, as the npm package docker-compose ships it.
  const require = createRequire(import.meta.url);
  const schema = JSON.parse(readFileSync(require.resolve('docker-compose/schema/compose-spec.json'), 'utf8'));
  const draft = 'http://json-schema.org/draft-07/schema#';
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile({ ...schema, $schema: draft });

  test.each([
    ['one node', single],
    ['three nodes', cluster],
  ])('fits the Compose Specification, with %s', (_, compose) => {
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('has every service of Placet, and nothing that this test does not know', () => {
    expect(Object.keys(single.services).toSorted()).toEqual(
      [...services, ...oneShots, ...brokers, 'mongodb'].toSorted(),
    );
  });

  test('does not start without a user whose the secrets are', () => {
    expect(() => readCompose({})).toThrow('DEPLOY_USER: run: export DEPLOY_USER=');
  });

  test('publishes the gateway on the loopback address, and nothing else', () => {
    expect(all.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['gateway']);
    expect(single.services['gateway']?.ports).toEqual(['127.0.0.1:7070:7070']);
  });
});

describe.each(all)('the service %s', (name, service) => {
  const isOneShot = oneShots.includes(name);

  test('can do little harm', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], logging: { driver: 'local' } });
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.user).toBe(name === 'volumes' ? '0:0' : user.DEPLOY_USER);
    expect(service).not.toHaveProperty('privileged');
  });

  test('comes from a pinned image', () => {
    expect(service.image).toMatch(/^[a-z]+:\d+\.\d+\.\d+(-[a-z]+)?$/);
  });

  test(isOneShot ? 'runs once' : 'is watched, restarted, and given the time to stop', () => {
    if (isOneShot) {
      expect(service).toMatchObject({ restart: 'no', healthcheck: { disable: true } });
      return;
    }
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck?.test?.[0]).toBe('CMD');
    expect(service.stop_grace_period).toMatch(/^\d+s$/);
  });

  test('has its secrets from files alone', () => {
    const shown = Object.entries(service.environment ?? {}).filter(([variable, value]) =>
      variable.endsWith('_FILE')
        ? !value.startsWith('/run/secrets/')
        : /PASSWORD|SECRET|KEYS|SIGNING|TOKEN/.test(variable) || /:\/\/[^/]*@/.test(value),
    );
    expect(shown).toEqual([]);
  });

  test('waits for services that there are', () => {
    for (const [other, { condition, required = true }] of Object.entries(service.depends_on ?? {})) {
      const isOnce = oneShots.includes(other);
      expect(condition).toBe(isOnce ? 'service_completed_successfully' : 'service_healthy');
      const hasProfile = single.services[other]?.profiles !== undefined;
      expect(required, `${name} waits for ${other}`).toBe(!hasProfile);
    }
  });
});

describe('the secrets', () => {
  const dir = mkdtempSync(join(tmpdir(), 'placet-compose-test-'));
  const made = makeSecrets(dir);
  afterAll(() => rmSync(dir, { recursive: true }));

  test('that are declared are those that deploy:secrets makes', () => {
    for (const [name, { file }] of Object.entries(single.secrets)) {
      expect(file).toBe(`./secrets/${name}`);
      expect(made).toContain(name);
    }
  });

  test('are all declared, and all used', () => {
    const used = all.flatMap(([, service]) => secretMounts(service).map(({ source }) => source));
    expect([...new Set(used)].toSorted()).toEqual(Object.keys(single.secrets).toSorted());
    expect(made.toSorted()).toEqual(Object.keys(single.secrets).toSorted());
  });

  test.each(ofPlacet)(
    '%s reads every variable and every secret that it is given, and needs no other',
    (name, service) => {
      // All problems are told at once, so one that is made on purpose must be the only one.
      const { status, stderr } = run(service, dir, { PLACET_ON_PURPOSE: 'wrong' });
      expect(status).toBe(1);
      expect(stderr.trim().split('\n').slice(1), name).toEqual([
        expect.stringContaining('PLACET_ON_PURPOSE: there is no such setting'),
      ]);
      const files = Object.entries(service.environment ?? {}).filter(([variable]) =>
        variable.endsWith('_FILE'),
      );
      expect(files.map(([, file]) => file).toSorted()).toEqual(
        secretMounts(service)
          .map(({ target }) => target)
          .toSorted(),
      );
    },
  );

  test.each(['decisions', 'audit'])('%s keeps what it owns in MongoDB', (name) => {
    expect(single.services[name]?.environment).toHaveProperty('PLACET_MONGODB_URL_FILE');
  });

  test.each(brokers)('%s takes its configuration, alone and as one of three', (name) => {
    for (const compose of [single, cluster]) {
      const service = compose.services[name] as ComposeService;
      const mounts = [
        ...(service.configs ?? []).map(({ source, target }) => ({
          file: join(root, compose.configs[source]?.file ?? ''),
          target,
        })),
        ...secretMounts(service).map(({ source, target }) => ({ file: join(dir, source), target })),
      ];
      const there = temporaryDirectory();
      for (const { file, target } of mounts) {
        expect(target).toMatch(/^\/etc\/placet\/[^/]+$/);
        copyFileSync(file, join(there, basename(target)));
      }
      const config = join(there, basename(service.command?.at(-1) ?? ''));
      const checked = spawnSync(process.env['NATS_SERVER'] ?? 'nats-server', ['-c', config, '-t'], {
        env: { ...service.environment },
        encoding: 'utf8',
      });
      expect(checked.stderr).toContain('is valid');
      expect(checked.status).toBe(0);
    }
  });

  test('one node writes to the disk before it acknowledges; three have three copies of everything', () => {
    const config = (compose: typeof single) =>
      readFileSync(join(root, compose.configs['nats-node.conf']?.file ?? ''), 'utf8');
    const streams = (compose: typeof single) => compose.services['deploy-streams']?.environment;
    expect(config(single)).toMatch(/^ *sync_interval: always$/m);
    expect(streams(single)).toMatchObject({ PLACET_REPLICAS: '1', PLACET_NATS_URL: 'nats://nats-1:4222' });
    expect(config(cluster)).not.toMatch(/^ *sync_interval/m);
    expect(streams(cluster)).toMatchObject({
      PLACET_REPLICAS: '3',
      PLACET_NATS_URL: brokers.map((node) => `nats://${node}:4222`).join(','),
    });
  });
});

describe('the image', () => {
  const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
  const lock = packageJson('package-lock.json').packages as Record<string, Record<string, unknown>>;

  test('is named by the version of Placet, and is what every command runs in', () => {
    const { version } = packageJson('package.json');
    for (const [name, { image, build, command = [] }] of ofPlacet) {
      expect(image, name).toBe(`placet:${version}`);
      expect(existsSync(join(root, build?.dockerfile ?? '')), name).toBe(true);
      expect(command.map((file) => existsSync(join(root, file)))).toEqual([true]);
    }
  });

  test('has the Node that the tests run on', () => {
    const bases = [...dockerfile.matchAll(/^FROM node:(\S+)/gm)].map(([, tag]) => tag);
    expect(bases).toHaveLength(2);
    for (const tag of bases) expect(tag).toBe(`${lock['node_modules/node']?.['version']}-trixie-slim`);
  });

  test('starts Node with the flags that the tests and the measurements start it with', () => {
    expect(dockerfile).toContain(
      `ENTRYPOINT ${JSON.stringify(['node', ...nodeFlags]).replace(/,/g, ', ')}\n`,
    );
  });

  test('is installed without install scripts, which only the package node has', () => {
    const withScript = Object.entries(lock).filter(([, entry]) => entry['hasInstallScript'] && !entry['dev']);
    expect(withScript.map(([path]) => path)).toEqual(['node_modules/node']);
    expect(dockerfile).toContain('npm ci --omit=dev --ignore-scripts');
  });

  test('does not run as root, and is built from what is named alone, with the manifests of all workspaces', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    // What is not named stays outside: .git, .cache, secrets.
    expect(ignored.find((line) => line && !line.startsWith('#'))).toBe('*');
    for (const line of ignored.filter((one) => /^(libs|services)\//.test(one))) {
      expect(ignored).toContain(`!${line}/package.json`);
    }
  });
});

/** A command of the image with the environment of docker-compose.yml, its secrets found in `dir`. */
function run({ command = [], environment = {} }: ComposeService, dir: string, more: Record<string, string>) {
  const env = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.replace(/^\/run\/secrets/, dir)]),
  );
  return spawnSync(process.execPath, command, {
    cwd: root,
    env: { ...env, ...more },
    encoding: 'utf8',
    timeout: 20_000,
  });
}
