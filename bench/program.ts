import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Program = {
  url: string;
  agentKey: string;
  personToken: string;
  startMs: number;
  close(): Promise<void>;
};

const policy = `version: 1
rules:
  - action: read
    decide: allow
default: require_approval
`;

/** Placet as a user starts it, in a process of its own, with data of its own. */
export async function startProgram(env: Record<string, string>): Promise<Program> {
  const dir = mkdtempSync(join(tmpdir(), 'placet-bench-'));
  const policyFile = join(dir, 'policy.yaml');
  writeFileSync(policyFile, policy);
  const begun = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../scripts/start.ts'), '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PLACET_SUPERVISOR_PID: String(process.pid),
      PLACET_DATA: join(dir, 'data'),
      PLACET_PORT: '0',
      PLACET_POLICY: policyFile,
      PLACET_RATE_PER_KEY: '10000000',
      PLACET_RATE_PER_ADDRESS: '10000000',
      ...env,
    },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<Omit<Program, 'close' | 'startMs'>>((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line)));
    void ended.then(() => reject(new Error('Placet ended before it was ready')));
  });
  const startMs = performance.now() - begun;
  return {
    ...ready,
    startMs,
    async close() {
      child.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
