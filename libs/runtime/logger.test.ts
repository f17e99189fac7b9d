import { expect, test } from 'vitest';
import { createLogger, type Logger, type LogLevel } from './logger.ts';

const secret = 'hunter2-7f3a';

function logged(write: (logger: Logger) => void, level: LogLevel = 'trace'): string {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  write(createLogger({ level, destination }));
  return lines.join('');
}

test.each([
  'authorization',
  'token',
  'key',
  'secret',
  'password',
  'pass',
  'payload',
  'req.headers.authorization',
  'headers.authorization',
  'any.token',
  'any.key',
  'any.secret',
  'any.password',
  'any.pass',
  'any.payload',
  'any.authorization',
  'any.headers.authorization',
  'data.payload',
  'event.data.payload',
])('secrets stay home: nothing of %s is written', (path) => {
  const object = path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), secret);
  const text = logged((logger) => logger.info(object, 'a line'));
  expect(text).toContain('a line');
  expect(text).toContain('[redacted]');
  expect(text).not.toContain(secret);
});

test('secrets stay home: a whole payload goes, whatever is in it', () => {
  const payload = { deep: { er: [secret] }, [secret]: 1 };
  expect(logged((logger) => logger.info({ payload, data: { payload } }))).not.toContain(secret);
});

test('secrets stay home: also of what a child of the logger always writes', () => {
  expect(logged((logger) => logger.child({ token: secret }).info('a line'))).not.toContain(secret);
});

test('secrets stay home: also of an error that carries them', () => {
  const error = Object.assign(new Error('failed'), { payload: secret, token: secret });
  const text = logged((logger) => logger.error({ err: error }, 'a line'));
  expect(text).toContain('failed');
  expect(text).not.toContain(secret);
});

test('a line is one line of JSON with time and level, and what is no secret stays', () => {
  const text = logged((logger) => logger.warn({ agent: 'support\nfake' }, 'a\nline'));
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(text)).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    agent: 'support\nfake',
    msg: 'a\nline',
  });
});

test('below its level nothing is written', () => {
  const text = logged((logger) => {
    logger.info('x');
    logger.warn('y');
  }, 'warn');
  expect(text).not.toContain('"x"');
  expect(text).toContain('"y"');
});
