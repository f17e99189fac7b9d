import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSealer, createSigner, generateSigningKey, type Sealer, type Signer } from '@placet/proof';
import { writePrivateFile } from './private-file.ts';

export type Keys = { sealer: Sealer; policySigner: Signer; decisionsSigner: Signer };

/** The keys of the one-process form: files that only their owner can read, made at the first start. */
export function loadKeys(dataDir: string): Keys {
  const dir = join(dataDir, 'keys');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const keep = (name: string, make: () => string): string => {
    const file = join(dir, name);
    if (!existsSync(file)) writePrivateFile(file, make());
    return readFileSync(file, 'utf8').trim();
  };
  const secret = Buffer.from(
    keep('seal.key', () => randomBytes(32).toString('base64')),
    'base64',
  );
  return {
    sealer: createSealer({ current: { id: 'k1', secret } }),
    policySigner: createSigner(keep('policy.pem', generateSigningKey)),
    decisionsSigner: createSigner(keep('decisions.pem', generateSigningKey)),
  };
}
