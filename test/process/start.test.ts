import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import {
  createClient,
  eventually,
  releaseAfterEach,
  releaseAfterTest,
  temporaryDirectory,
} from '@placet/testing';
import { describe, expect, test } from 'vitest';
import {
  type Ended,
  expectNone,
  launchProgram,
  type Program,
  type ProgramOptions,
  ready,
  runNpm,
  startProgram,
} from '../../libs/testing/program.ts';

releaseAfterEach();

const held = { action_name: 'cancel_flight', payload: { flight_number: 'PA441' } };

describe('npm start', () => {
  test('prints how to begin, a curl line that works, and the same the next time', async () => {
    const first = launchProgram();
    await ready(first, () => first.stdout().includes('curl '));
    const printed = first.stdout();
    const [link = ''] = /http:\S+\/sign-in\/[\w-]{43}/.exec(printed) ?? [];
    const signed = await fetch(link, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(signed.headers.get('location')).toBe('/approvals');
    const [curl, ...others] = printed.split('\n').filter((line) => line.startsWith('curl '));
    expect(others).toEqual([]);
    const { status, stdout, stderr } = spawnSync('sh', ['-c', curl as string], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ decision: 'pending', action_id: expect.any(String) });
    expect(first.stderr()).toBe('');
    first.killGroup('SIGINT');
    await first.exited;

    const second = await startProgram({ dataDir: first.dataDir });
    const { agentKey, personToken, dataDir, url } = second;
    const signIn = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/sign-in\/[\w-]{43}$/);
    expect(JSON.parse(second.stdout())).toEqual({ url, signIn, agentKey, personToken, dataDir });
    expect(second.stdout().trim().split('\n')).toHaveLength(1);
    expect(second.stderr()).toBe('');
    expect(dataDir).toBe(first.dataDir);
    expect(printed).toContain(agentKey);
    expect(printed).toContain(personToken);
    expect(printed).toMatch(/http:\/\/127\.0\.0\.1:\d+\s/);
    const approvals = await second.admin.get('/v1/approvals');
    expect(approvals.body.approvals).toMatchObject([{ id: JSON.parse(stdout).action_id }]);
  });

  test('keeps its data where only their owner can read them', async () => {
    const { dataDir, agent, admin } = await startProgram();
    const { body } = await agent.check(held);
    await admin.vote(body.action_id, { vote: 'approve' });
    expect(modeOf(dataDir)).toBe('700');
    expect(modeOf(join(dataDir, 'credentials.json'))).toBe('600');
    const open = filesUnder(dataDir).filter((file) => statSync(file).isFile() && !/00$/.test(modeOf(file)));
    expect(open).toEqual([]);
  });

  test('says that Placet already runs on the data, and ends', async () => {
    const first = await startProgram();
    const second = await failedStart({ dataDir: first.dataDir });
    expect(second.lines).toEqual([expect.stringContaining('already runs')]);
    expect(second.lines[0]).toContain(first.dataDir);
    expect((await first.agent.check(held)).body.decision).toBe('pending');
  });

  test('says in one line that the port is taken', async () => {
    const port = await takePort();
    const { lines } = await failedStart({ env: { PLACET_PORT: String(port) } });
    expect(lines).toEqual([expect.stringContaining(`Port ${port} is taken`)]);
    expect(lines[0]).toContain('PLACET_PORT');
  });
});

describe('settings', () => {
  const webhook = {
    PLACET_WEBHOOK_URL: 'https://example.com',
    PLACET_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24).toString('base64')}`,
  };

  test('that are unknown or bad are all named at once, a line each', async () => {
    const { lines, dataDir } = await failedStart({
      env: {
        PLACET_PROT: '7070',
        PLACET_NONSENSE_OF_OUR_OWN: '1',
        PLACET_PORT: 'abc',
        PLACET_LOG_LEVEL: 'loud',
        PLACET_VERDICT_WAIT: '5 seconds',
        PLACET_STREAM_SIZE: 'big',
        PLACET_WEBHOOK_URL: 'ftp://example.com',
      },
    });
    const [headline, ...problems] = lines;
    expect(headline).toContain('cannot start');
    for (const name of ['PROT', 'NONSENSE_OF_OUR_OWN', 'PORT', 'LOG_LEVEL', 'VERDICT_WAIT', 'STREAM_SIZE']) {
      expect(
        problems.filter((line) => line.includes(`PLACET_${name}:`) || line.includes(`PLACET_${name}=`)),
      ).toHaveLength(1);
    }
    expect(problems.find((line) => line.includes('PLACET_PROT:'))).toContain('PLACET_PORT');
    expect(problems.some((line) => line.includes('PLACET_WEBHOOK_URL='))).toBe(true);
    expect(problems).toHaveLength(7);
    expect(() => statSync(dataDir)).toThrow('ENOENT');
  });

  test.each<[string, Record<string, string>]>([
    ['PLACET_WEBHOOK_ALLOWED_HOSTS', { ...webhook, PLACET_WEBHOOK_ALLOWED_HOSTS: 'http://host' }],
    ['PLACET_WEBHOOK_SECRET', { PLACET_WEBHOOK_URL: webhook.PLACET_WEBHOOK_URL }],
    ['PLACET_TRUST_PROXY', { PLACET_TRUST_PROXY: 'nonsense' }],
    ['PLACET_HOST', { PLACET_HOST: 'no such host' }],
    ['PLACET_POLICY', { PLACET_POLICY: '/nowhere/policy.yaml' }],
  ])('%s: a value that cannot work is told in one line', async (name, env) => {
    const { text, lines } = await failedStart({ env });
    expect(text).toContain(name);
    expect(lines.length).toBeLessThanOrEqual(2);
  });

  test('a data directory that is a file is told in one line', async () => {
    const dataDir = join(temporaryDirectory(), 'file');
    writeFileSync(dataDir, '');
    const { lines } = await failedStart({ dataDir });
    expect(lines).toEqual([expect.stringContaining(dataDir)]);
  });
});

describe('a policy file', () => {
  const policy = (decide: string) => `version: 1\nrules:\n  - action: send_*\n    decide: ${decide}\n`;
  const question = { action_name: 'send_mail', payload: {} };

  test('that is broken stops the start, with line and column', async () => {
    const file = fileOf('version: 1\nrules:\n  - action: send_*\n    decide: perhaps\n');
    const { lines, text } = await failedStart({ env: { PLACET_POLICY: file } });
    expect(lines[0]).toContain('PLACET_POLICY');
    expect(text).toContain('line 4, column 13');
  });

  test('is followed when it changes, wins over PUT, and a broken one changes nothing', async () => {
    const file = fileOf(policy('allow'));
    const { agent, admin, stderr } = await startProgram({ env: { PLACET_POLICY: file } });
    expect((await agent.check(question)).body.decision).toBe('allowed');

    writeFileSync(file, policy('deny'));
    await eventually(async () => expect((await agent.check(question)).body.decision).toBe('denied'));

    writeFileSync(file, policy('perhaps'));
    await eventually(() => expect(stderr()).toMatch(/policy file was not applied.*line 4, column 13/));
    expect((await agent.check(question)).body.decision).toBe('denied');

    const yaml = { 'content-type': 'application/yaml' };
    const put = await admin.put('/v1/policies/default', policy('allow'), yaml);
    expect(put).toMatchObject({ status: 409, body: { error: 'POLICY_FROM_FILE' } });
    expect(put.body.message).toContain(file);

    writeFileSync(file, policy('allow'));
    await eventually(async () => expect((await agent.check(question)).body.decision).toBe('allowed'));
  });
});

describe('the end', () => {
  test.each<[string, (program: Program) => void]>([
    ['Ctrl-C', (program) => program.killGroup('SIGINT')],
    ['SIGTERM to npm', (program) => program.kill('npm', 'SIGTERM')],
    ['SIGTERM to every process', (program) => program.killGroup('SIGTERM')],
    ['a closed terminal', (program) => program.killGroup('SIGHUP')],
  ])('%s answers who waits, and leaves no process', async (_, end) => {
    const program = await startProgram();
    const { body } = await program.agent.check(held);
    const waiting = program.agent.answer(body.action_id, '?wait=30');
    await someoneWaits(program.url);

    end(program);
    expect(await waiting).toMatchObject({ status: 200, body: { decision: 'pending', ...body } });
    await program.exited;
    await eventually(() => expectNone(program.processes()));
    expect(program.stderr()).toBe('');
    expect(
      filesUnder(program.dataDir).filter((file) => /\.lock$|\.pid$|connection\.json$/.test(file)),
    ).toEqual([]);
  });
});

test('Ctrl-C while Placet starts leaves no process', async () => {
  const program = launchProgram();
  await ready(program, () => program.processes().some(({ command }) => command.includes('nats-server.conf')));
  program.killGroup('SIGINT');
  await program.exited;
  await eventually(() => expectNone(program.processes()));
  expect(program.stderr()).toBe('');

  const { agent } = await startProgram({ dataDir: program.dataDir });
  expect((await agent.check(held)).body.decision).toBe('pending');
});

describe('npm run token', () => {
  test('makes an administrator of who lost the token, while Placet runs and while it does not', async () => {
    const first = await startProgram();
    const whileRunning = await newToken(first.dataDir);
    await eventually(() => expectAdmin(first.url, whileRunning));

    first.killGroup('SIGTERM');
    await first.exited;
    const whileStopped = await newToken(first.dataDir);
    expectNone(first.processes());

    const second = await startProgram({ dataDir: first.dataDir });
    for (const token of [whileRunning, whileStopped]) await expectAdmin(second.url, token);
    expect(new Set([first.personToken, whileRunning, whileStopped]).size).toBe(3);
  });

  test('says that there is nothing yet', async () => {
    const { code, stderr } = await runNpm(['run', 'token'], {
      PLACET_DATA: join(temporaryDirectory(), 'data'),
    });
    expect(code).not.toBe(0);
    expect(linesOf(stderr)).toHaveLength(1);
  });

  async function newToken(dataDir: string): Promise<string> {
    const { code, stdout, stderr } = await runNpm(['run', 'token'], { PLACET_DATA: dataDir });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return linesOf(stdout).at(-1) ?? '';
  }

  async function expectAdmin(url: string, token: string): Promise<void> {
    const { status, body } = await createClient(url, token).get('/v1/people/me');
    expect({ status, roles: body.roles }).toEqual({ status: 200, roles: expect.arrayContaining(['admin']) });
  }
});

/** A start that has to fail by itself, in words: without a stack trace, and with nothing left behind. */
async function failedStart(options: ProgramOptions) {
  const program = launchProgram({ ...options, args: ['--json'] });
  let ended: Ended | undefined;
  program.exited.then((end) => {
    ended = end;
  });
  await eventually(() => expect(ended !== undefined || program.stdout() !== '').toBe(true), 50_000);
  expect({ code: ended?.code, stdout: program.stdout() }).toEqual({ code: expect.any(Number), stdout: '' });
  expect(ended?.code).not.toBe(0);
  const text = program.stderr();
  expect(text).not.toMatch(/^\s+at /m);
  await eventually(() => {
    const ours = program.processes().filter(({ group }) => group === program.group);
    expectNone(ours);
  });
  return { text, lines: linesOf(text), dataDir: program.dataDir };
}

async function someoneWaits(url: string): Promise<void> {
  await eventually(async () => {
    const { body } = await createClient(url).get('/metrics');
    expect(body).toMatch(/^placet_waiting_callers 1$/m);
  });
}

async function takePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  releaseAfterTest('a taken port', () => new Promise<void>((done) => server.close(() => done())));
  return (server.address() as AddressInfo).port;
}

function fileOf(text: string): string {
  const file = join(temporaryDirectory(), 'policy.yaml');
  writeFileSync(file, text);
  return file;
}

const linesOf = (text: string) => text.trim().split('\n').filter(Boolean);
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name));
}
