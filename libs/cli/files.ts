import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, parse, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { textBytesMax } from '@placet/policy';
import { WrongUsage } from './verb.ts';

/** One byte more than a policy may have: enough to see that it is too long. */
export const readPolicyFile = async (file: string, cwd: string): Promise<string> => {
  try {
    return await text(createReadStream(resolve(cwd, file), { end: textBytesMax }));
  } catch (error) {
    throw new WrongUsage(`${file} cannot be read: ${why(error)}`, { cause: error });
  }
};

const filesMax = 200;

/** What a policy can include: the other policies of its directory, by the names of their files. */
export const setsBeside = async (file: string, cwd: string, policy: string): Promise<Map<string, string>> => {
  const sets = new Map<string, string>();
  if (!policy.includes('include')) return sets;
  const directory = dirname(resolve(cwd, file));
  const names = (await readdir(directory)).filter((name) => /\.ya?ml$/i.test(name)).toSorted();
  for (const name of names.slice(0, filesMax)) {
    const path = join(directory, name);
    if (path !== resolve(cwd, file)) sets.set(parse(name).name, await readPolicyFile(path, cwd));
  }
  return sets;
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
