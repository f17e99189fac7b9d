import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { releaseAfterEach, temporaryDirectory } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { runPython } from '../../testing/python.ts';

const checkout = join(import.meta.dirname, '../../..');
const examples = join(checkout, 'examples/policies');
const main = join(checkout, 'libs/cli/main.ts');

releaseAfterEach();

type Ended = { code: number | null; out: string; err: string };

/** A command as its user has it: without the npm that runs these tests. */
const run = (file: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}) => {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NO_COLOR$)/.test(name));
  const PATH = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .join(delimiter);
  const env = { ...Object.fromEntries(kept), PATH, ...more };
  return new Promise<Ended>((done, fail) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 50_000 });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.err += text;
    });
    child.once('error', fail);
    child.once('close', (code) => done({ code, ...said }));
  });
};

const placet = (cwd: string, ...args: string[]) => run(process.execPath, [main, ...args], cwd);

const policies = (texts: Record<string, string>): string => {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(directory, name), text);
  return directory;
};

const kept = 'version: 1\ndefault: deny\ntests: [{ action: a, expect: deny }]\n';
const broken = 'version: 1\ndefault: deny\ntests: [{ name: "<a> & \\"b\\"", action: a, expect: allow }]\n';
const wrong = 'version: 1\ndefault: alow\n';

describe('placet policy test', () => {
  test('passes over the policies to begin with', async () => {
    const files = readdirSync(examples);
    const { code, out, err } = await placet(examples, 'policy', 'test', ...files);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/\n\n\d+ passed, 0 failed\n$/);
    expect(out).toContain('tollgate.yaml\n  it has no tests\n');
    expect(out).not.toContain('\u001b');
  });

  test('ends with 1 when a test fails, or a policy is wrong', async () => {
    const directory = policies({ 'kept.yaml': kept, 'broken.yaml': broken, 'wrong.yaml': wrong });
    expect(await placet(directory, 'policy', 'test', 'kept.yaml')).toMatchObject({ code: 0 });
    const failed = await placet(directory, 'policy', 'test', 'kept.yaml', 'broken.yaml');
    expect(failed).toMatchObject({ code: 1, out: expect.stringMatching(/\n1 passed, 1 failed\n$/) });
    const refused = await placet(directory, 'policy', 'test', 'wrong.yaml');
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('wrong.yaml:2:10: default:') });
  });

  test('ends with 2 when the command is wrong, and tests nothing', async () => {
    const directory = policies({ 'kept.yaml': kept });
    const missing = await placet(directory, 'policy', 'test', 'kept.yaml', 'none.yaml');
    expect(missing).toEqual({
      code: 2,
      out: '',
      err: 'placet: none.yaml cannot be read: there is no such file\n',
    });
    const taken = await placet(directory, 'policy', 'test', 'kept.yaml', '--junit', 'kept.yaml/j.xml');
    expect(taken).toMatchObject({ code: 2, out: '' });
    expect(taken.err).toContain('--junit kept.yaml/j.xml cannot be written');
  });

  test('prints one JSON document', async () => {
    const directory = policies({ 'broken.yaml': broken, 'wrong.yaml': wrong });
    const { code, out } = await placet(directory, 'policy', 'test', '--json', 'broken.yaml', 'wrong.yaml');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      passed: 0,
      failed: 2,
      files: [
        {
          file: 'broken.yaml',
          problems: [],
          tests: [expect.objectContaining({ expected: 'allow', found: 'deny', passed: false, rule: null })],
          coverage: { rules: [], default: { decide: 'deny', tests: 1 } },
        },
        {
          file: 'wrong.yaml',
          problems: [expect.objectContaining({ line: 2, column: 10, path: 'default' })],
          tests: [],
          coverage: null,
        },
      ],
    });
  });

  test('writes JUnit XML that an XML reader reads, into a folder that it makes', async () => {
    const directory = policies({ 'kept.yaml': kept, 'broken.yaml': broken, 'wrong.yaml': wrong });
    const files = ['kept.yaml', 'broken.yaml', 'wrong.yaml'];
    const { code, out } = await placet(directory, 'policy', 'test', '--junit', 'out/junit.xml', ...files);
    expect(code).toBe(1);
    expect(out).toContain('1 passed, 2 failed');
    const read = await runPython(
      `import json, sys, xml.etree.ElementTree as tree
suites = tree.parse(sys.argv[1]).getroot()
print(json.dumps([[suites.tag, suites.attrib["tests"]], [[s.attrib["name"], [[c.attrib["name"], [[x.tag, x.attrib["message"]] for x in c]] for c in s]] for s in suites]]))`,
      { args: [join(directory, 'out/junit.xml')] },
    );
    expect(read).toMatchObject({ code: 0, stderr: '' });
    const deny =
      'expected allow, and it is deny: no rule of the policy default matches, and its default denies it';
    expect(JSON.parse(read.stdout)).toEqual([
      ['testsuites', '3'],
      [
        ['kept.yaml', [['deny for a', []]]],
        ['broken.yaml', [['<a> & "b"', [['failure', deny]]]]],
        [
          'wrong.yaml',
          [['the policy', [['error', expect.stringMatching(/^line 2, column 10: default: .*"allow"\?$/)]]]],
        ],
      ],
    ]);
  });

  test('reads at most what a policy may have', async () => {
    const { code, out } = await placet(checkout, 'policy', 'test', '/dev/zero');
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('longer than 256 KB') });
  });

  test('prints what docs/policy.md shows', async () => {
    const document = readFileSync(join(checkout, 'docs/policy.md'), 'utf8');
    const section = /\n## Tests\n(?<text>.*?)\n## /s.exec(document)?.groups?.['text'] ?? '';
    const [policy, shown] = [/```yaml\n(.*?)```/s, /```text\n(.*?)```/s].map(
      (block) => block.exec(section)?.[1],
    );
    const directory = policies({ 'refunds.yaml': policy?.replace('amount < 50', 'amount < 40') ?? '' });
    const { out } = await placet(directory, 'policy', 'test', 'refunds.yaml');
    expect(out).toBe(shown);
  });
});

describe('the command is found', () => {
  // A command that needs a broker would end for want of this one.
  const withoutBroker = { NATS_SERVER: '/does/not/exist' };

  test('by npm run, with files relative to where its user stands, and without a broker', async () => {
    const directory = policies({ 'broken.yaml': broken });
    mkdirSync(join(directory, 'below'));
    const npm = ['--prefix', checkout, 'run', 'placet', '--', 'policy', 'test', '../broken.yaml'];
    const { code, out } = await run('npm', npm, join(directory, 'below'), withoutBroker);
    expect(code).toBe(1);
    expect(out).toMatch(/^\.\.\/broken\.yaml\n.*\n0 passed, 1 failed\n$/s);
  });

  test('by npx, in a folder of the checkout', async () => {
    const npx = ['placet', 'policy', 'test', 'tollgate.yaml', '--json'];
    const cache = { npm_config_cache: temporaryDirectory(), npm_config_offline: 'true' };
    const { code, out } = await run('npx', npx, examples, { ...withoutBroker, ...cache });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ files: [{ file: 'tollgate.yaml' }] });
  });
});
