import { spawn } from 'node:child_process';
import { pythonWith } from '@placet/cluster/python.ts';
import { releaseAfterTest } from './cleanup.ts';

export type PythonEnded = { code: number | null; stdout: string; stderr: string };

/** What the tests' Python scripts may import. */
export const testPackages = ['httpx==0.28.1'];

/** Runs a script's text to its end, on a Python of the project's own that has the pinned packages. */
export async function runPython(
  script: string,
  { env = {}, args = [] }: { env?: Record<string, string>; args?: readonly string[] } = {},
): Promise<PythonEnded> {
  const python = await pythonWith(testPackages);
  const { PYTHONPATH: _, PYTHONHOME: __, ...inherited } = process.env;
  const child = spawn(python, ['-c', script, ...args], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  releaseAfterTest('python', () => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ code, ...said }));
  });
}
