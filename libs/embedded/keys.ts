import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSealer,
  createSigner,
  generateSigningKey,
  parseSealKeys,
  type Sealer,
  type Signer,
  sealKeyText,
} from '@placet/proof';
import { UsersProblem } from '@placet/runtime';
import { writePrivateFile } from './private-file.ts';

export class KeysProblem extends UsersProblem {}

export type Keys = { sealer: Sealer; policySigner: Signer; decisionsSigner: Signer };

/** The keys of the one-process form: files that only their owner can read, made at the first start. */
export function loadKeys(dataDir: string): Keys {
  const dir = join(dataDir, 'keys');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (!existsSync(join(dir, 'seal.key')) && existsSync(join(dataDir, 'nats'))) {
    throw new KeysProblem(
      `${join(dir, 'seal.key')} is missing, and without it nothing in ${dataDir} counts as genuine. ` +
        'Put it back from the backup of this directory, or start on an empty one (PLACET_DATA).',
    );
  }
  const keep = (name: string, make: () => string): string => {
    const file = join(dir, name);
    if (!existsSync(file)) writePrivateFile(file, make());
    // On Windows the modes say nothing.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
      throw new KeysProblem(`${file} can be read by others. Find out why, then: chmod 600 '${file}'`);
    }
    return readFileSync(file, 'utf8').trim();
  };
  const sealKeys = keep('seal.key', () => sealKeyText({ id: 'k1', secret: randomBytes(32) }));
  return {
    sealer: createSealer(parseSealKeys(sealKeys)),
    policySigner: createSigner(keep('policy.pem', generateSigningKey)),
    decisionsSigner: createSigner(keep('decisions.pem', generateSigningKey)),
  };
}
