import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import {
  byteSize,
  durationMs,
  oneOf,
  parseDurationMs,
  readSettings,
  SettingsProblem,
  secret,
  setting,
  wholeNumber,
} from './settings.ts';

const table = {
  port: setting('PLACET_PORT', wholeNumber(8080, 0, 65_535), 'The port.', '8080'),
  wait: setting('PLACET_WAIT', durationMs('5s', '100ms', '60s'), 'The wait.', '5s'),
  size: setting('PLACET_STREAM_SIZE', byteSize('1GB'), 'The cap.', '1GB'),
  level: setting('PLACET_LOG', oneOf(['info', 'debug'], 'info'), 'The level.', 'info'),
  secret: secret('PLACET_WEBHOOK_SECRET', z.string().min(20, 'is too short').optional(), 'A secret.'),
  url: setting(
    'PLACET_DB_URL',
    z
      .string()
      .regex(/^mongodb:/, 'must be mongodb:')
      .optional(),
    'A store.',
    '',
  ),
};

const read = (env: Record<string, string | undefined>) => readSettings(table, env);

function problemsOf(env: Record<string, string>): string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof SettingsProblem) return error.problems;
    throw error;
  }
  return [];
}

test('without an environment every setting has its default', () => {
  expect(read({})).toEqual({ port: 8080, wait: 5000, size: 2 ** 30, level: 'info' });
});

test('the environment is read', () => {
  const env = { PLACET_PORT: '0', PLACET_WAIT: '1m', PLACET_STREAM_SIZE: '64MB', PLACET_LOG: 'debug' };
  expect(read(env)).toMatchObject({ port: 0, wait: 60_000, size: 64 * 2 ** 20, level: 'debug' });
});

test('an empty value is no value', () => {
  expect(read({ PLACET_PORT: '', PLACET_WAIT: '', PLACET_LOG: '' })).toEqual(read({}));
});

test('everything that is wrong is said at once, each by its name and in one line', () => {
  const env = {
    PLACET_PORT: 'x',
    PLACET_WAIT: '2h',
    PLACET_STREAM_SIZE: '1',
    PLACET_LOG: 'loud',
    PLACET_OD: '1',
  };
  const problems = problemsOf(env);
  expect(problems).toHaveLength(5);
  for (const name of Object.keys(env)) {
    expect(problems.filter((problem) => problem.startsWith(name))).toHaveLength(1);
  }
  for (const problem of problems) expect(problem).not.toContain('\n');
  expect(new SettingsProblem(problems).message.split('\n')).toHaveLength(6);
});

describe('a name that is not known', () => {
  test.each([
    ['PLACET_PROT', 'PLACET_PORT'],
    ['PLACET_STREAMSIZE', 'PLACET_STREAM_SIZE'],
    ['PLACET_WEBHOOK_SECRETS', 'PLACET_WEBHOOK_SECRET'],
  ])('%s: the nearest is named', (name, known) => {
    expect(problemsOf({ [name]: '1' })).toEqual([expect.stringContaining(`did you mean ${known}?`)]);
  });

  test('with nothing near it the document is named', () => {
    expect(problemsOf({ PLACET_SOMETHING_ELSE: '1' })).toEqual([
      expect.stringContaining('docs/configuration.md'),
    ]);
  });

  test('its value, which may be a misspelt secret, is not repeated', () => {
    expect(problemsOf({ PLACET_WEBHOOK_SECRIT: 'hunter2' }).join()).not.toContain('hunter2');
  });

  test("other programs' names are left alone", () => {
    expect(problemsOf({ PORT: 'x', PLACETX: 'x', PLACET_SUPERVISOR_PID: '1', PLACET_CACHE: '/tmp' })).toEqual(
      [],
    );
  });
});

describe('a bad value is named with its bounds', () => {
  test.each([
    [
      'PLACET_PORT',
      ['-1', '65536', '1.5', '1e3', '0x10', ' 1', '9'.repeat(30), 'NaN'],
      /whole number from 0 to 65535/,
    ],
    [
      'PLACET_WAIT',
      ['99ms', '61s', '2h', '5', '5 s', '-5s', '1.5s', 'soon', `${'9'.repeat(20)}s`],
      /time from 100ms to 60s/,
    ],
    ['PLACET_STREAM_SIZE', ['0MB', '64', '64mb', '1TB', '-1GB', '1.5GB'], /size such as 1GB/],
    ['PLACET_LOG', ['INFO', 'toString', 'x'], /one of info, debug/],
  ])('%s', (name, values, words) => {
    for (const value of values) {
      const [problem = '', ...more] = problemsOf({ [name]: value });
      expect(more).toEqual([]);
      expect(problem).toContain(value);
      expect(problem.match(new RegExp(words, 'g')), `${problem}`).toHaveLength(1);
    }
  });

  test('and at the bounds it is good', () => {
    expect(read({ PLACET_PORT: '65535', PLACET_WAIT: '100ms' })).toMatchObject({ port: 65_535, wait: 100 });
    expect(read({ PLACET_WAIT: '60s', PLACET_STREAM_SIZE: '1KB' })).toMatchObject({
      wait: 60_000,
      size: 1024,
    });
  });
});

test('secrets stay home: a bad one is named and not printed', () => {
  expect(problemsOf({ PLACET_WEBHOOK_SECRET: 'hunter2' })).toEqual([
    expect.stringMatching(/^PLACET_WEBHOOK_SECRET.*is too short$/),
  ]);
  expect(problemsOf({ PLACET_WEBHOOK_SECRET: 'hunter2' }).join()).not.toContain('hunter2');
  expect(problemsOf({ PLACET_DB_URL: 'mysql://root:hunter2@db/placet' })).toEqual([
    'PLACET_DB_URL=mysql://…@db/placet: must be mongodb:',
  ]);
});

describe('a secret from a file', () => {
  const text = 'a secret that is long enough';
  const fileWith = (content: string) => {
    const dir = mkdtempSync(join(tmpdir(), 'placet-settings-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const file = join(dir, 'secret');
    writeFileSync(file, content);
    return file;
  };

  test('is its text, without the newline at its end', () => {
    const env = { PLACET_WEBHOOK_SECRET_FILE: fileWith(`${text}\n`) };
    expect(read(env).secret).toBe(text);
  });

  test('is not shown when it does not fit', () => {
    expect(problemsOf({ PLACET_WEBHOOK_SECRET_FILE: fileWith('hunter2') })).toEqual([
      'PLACET_WEBHOOK_SECRET_FILE: is too short',
    ]);
  });

  test('that is not there is named, as are two ways at once', () => {
    expect(problemsOf({ PLACET_WEBHOOK_SECRET_FILE: '/nowhere/secret' })).toEqual([
      'PLACET_WEBHOOK_SECRET_FILE: /nowhere/secret cannot be read (ENOENT)',
    ]);
    expect(problemsOf({ PLACET_WEBHOOK_SECRET: text, PLACET_WEBHOOK_SECRET_FILE: fileWith(text) })).toEqual([
      'PLACET_WEBHOOK_SECRET and PLACET_WEBHOOK_SECRET_FILE are both set: keep one',
    ]);
  });

  test('is only for secrets', () => {
    expect(problemsOf({ PLACET_PORT_FILE: fileWith('1') })).toEqual([
      expect.stringContaining('there is no such setting'),
    ]);
  });
});

test.each([
  ['0ms', 0],
  ['250ms', 250],
  ['5s', 5000],
  ['2m', 120_000],
  ['7d', 604_800_000],
  ['5', null],
  ['', null],
  ['5S', null],
  ['1h30m', null],
])('the duration "%s" is %s ms', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});
