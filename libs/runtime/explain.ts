import { inspect } from 'node:util';
import { Refusal } from './errors.ts';

/** What a user can put right; its message says how. */
export class UsersProblem extends Error {}

/** What a user can put right is told in words; only our own faults come with a stack. */
export function explain(error: unknown): string {
  if (error instanceof UsersProblem) return error.message;
  if (error instanceof Refusal && error.code === 'POLICY_REFUSED') {
    const [, ...problems] = error.message.split('\n');
    return ['PLACET_POLICY: the file was refused, so Placet does not start.', ...problems].join('\n');
  }
  if (isSystemError(error, 'EADDRINUSE')) {
    return `Port ${error.port} is taken. Stop what runs there, or set PLACET_PORT (0 takes a free one).`;
  }
  if (isSystemError(error, 'ENOTFOUND') || isSystemError(error, 'EADDRNOTAVAIL')) {
    return `PLACET_HOST: this machine has no address ${error.hostname ?? error.address}.`;
  }
  if (isSystemError(error, 'EEXIST') || isSystemError(error, 'ENOTDIR')) {
    return `PLACET_DATA: ${error.path} is not a directory.`;
  }
  if (isSystemError(error, 'EISDIR')) return 'PLACET_POLICY: this is a directory, not a file.';
  if (isSystemError(error, 'ENOENT')) return `There is no file ${error.path}.`;
  if (isSystemError(error, 'EACCES')) return `No permission for ${error.path ?? `port ${error.port}`}.`;
  return inspect(error);
}

type SystemError = Error & { port?: number; path?: string; hostname?: string; address?: string };

function isSystemError(error: unknown, code: string): error is SystemError {
  return error instanceof Error && 'code' in error && error.code === code;
}
