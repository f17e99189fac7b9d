import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { nameForm } from '@placet/events';
import { textBytesMax } from '@placet/policy';
import { parse } from 'yaml';
import { WrongUsage } from './verb.ts';

/** One byte more than a policy may have: enough to see that it is too long. */
export const readPolicyFile = async (file: string, cwd: string): Promise<string> => {
  try {
    return await text(createReadStream(resolve(cwd, file), { end: textBytesMax }));
  } catch (error) {
    throw new WrongUsage(`${file} cannot be read: ${why(error)}`, { cause: error });
  }
};

/** The sets that a policy includes: the files of their names beside it. What is no plain file is not there. */
export const setsBeside = async (file: string, cwd: string, policy: string): Promise<Map<string, string>> => {
  const sets = new Map<string, string>();
  const directory = dirname(resolve(cwd, file));
  for (const name of includedIn(policy)) {
    for (const path of [join(directory, `${name}.yaml`), join(directory, `${name}.yml`)]) {
      const found = await lstat(path).catch(() => null);
      if (found?.isFile() && !sets.has(name)) sets.set(name, await readPolicyFile(path, cwd));
    }
  }
  return sets;
};

const includesMax = 20;

/** As far as it can be told of a text that may be none. */
const includedIn = (policy: string): string[] => {
  if (policy.length > textBytesMax || !/include|\\/.test(policy)) return [];
  try {
    const { include } = parse(policy, { maxAliasCount: 0 }) as { include?: unknown };
    const names = Array.isArray(include) ? include.slice(0, includesMax) : [];
    return names.filter((name) => typeof name === 'string' && nameForm.test(name));
  } catch {
    return [];
  }
};

export const why = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a directory';
    case 'EACCES':
      return 'no permission';
    default:
      return message;
  }
};
