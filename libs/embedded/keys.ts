import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSealer,
  createSecretBox,
  createSigner,
  generateSigningKey,
  type Jwks,
  parseSealKeys,
  type Sealer,
  type SecretBox,
  type Signer,
  sealKeyText,
  trusting,
} from '@placet/proof';
import { UsersProblem } from '@placet/runtime';
import { readJsonFile, writePrivateFile } from './private-file.ts';

export class KeysProblem extends UsersProblem {}

export type Keys = {
  sealer: Sealer;
  /** For what is secret in the configuration. */
  secretBox: SecretBox;
  policySigner: Signer;
  decisionsSigner: Signer;
  /** Whose proofs are believed: those of the signers, and of the ones before them. */
  trusted: Jwks;
};

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
  const readable = <T>(name: string, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (error instanceof KeysProblem) throw error;
      throw new KeysProblem(`${join(dir, name)}: ${(error as Error).message}`);
    }
  };
  const sealKeys = keep('seal.key', () => `${sealKeyText({ id: 'k1', secret: randomBytes(32) })}\n`);
  const policySigner = readable('policy.pem', () => createSigner(keep('policy.pem', generateSigningKey)));
  const decisionsSigner = readable('decisions.pem', () =>
    createSigner(keep('decisions.pem', generateSigningKey)),
  );
  return {
    sealer: readable('seal.key', () => createSealer(parseSealKeys(sealKeys))),
    secretBox: readable('master.key', () =>
      createSecretBox(Buffer.from(keep('master.key', newMasterKey), 'base64url')),
    ),
    policySigner,
    decisionsSigner,
    trusted: keepTrusted(join(dir, 'trusted-keys.json'), [policySigner, decisionsSigner]),
  };
}

const newMasterKey = () => `${randomBytes(32).toString('base64url')}\n`;

function keepTrusted(file: string, signers: Signer[]): Jwks {
  const known = (readJsonFile(file) ?? { keys: [] }) as Jwks;
  const trusted = trusting(known, signers);
  if (trusted !== known) writePrivateFile(file, `${JSON.stringify(trusted)}\n`);
  return trusted;
}
