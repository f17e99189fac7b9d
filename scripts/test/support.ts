import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryDirectory } from '@placet/testing/cleanup.ts';

/** A program called nats-server that says it is this version, in a directory of its own. */
export function fakeNatsServer(version: string): string {
  const file = path.join(temporaryDirectory(), 'nats-server');
  writeFakeNatsServer(file, version);
  return file;
}

export function writeFakeNatsServer(file: string, version: string): void {
  writeFileSync(file, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
}
