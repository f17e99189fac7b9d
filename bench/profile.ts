import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { table } from './measure.ts';

type CallFrame = { functionName: string; url: string };
type Profile = { nodes: { id: number; callFrame: CallFrame }[]; samples: number[]; timeDeltas: number[] };

/** Kinds of work, by the function that was running; the first that matches. */
const kinds: [string, (frame: CallFrame) => boolean][] = [
  ['garbage', ({ functionName }) => functionName === '(garbage collector)'],
  [
    'sockets',
    ({ functionName, url }) => isSocketCall(functionName) || /^node:(net|internal\/stream)/.test(url),
  ],
  ['signing, sealing, hashing', ({ url }) => url.startsWith('node:internal/crypto')],
  ['SQLite', ({ url }) => /sqlite-(store|action|lists)\.ts/.test(url)],
  ['HTTP', ({ url }) => /^node:_http|node_modules\/(@?fastify|find-my-way|avvio)/.test(url)],
  ['NATS client', ({ url }) => url.includes('node_modules/@nats-io/')],
  ['schemas', ({ url }) => url.includes('node_modules/zod/')],
  ['our code', ({ url }) => /\/(services|libs)\//.test(url)],
];
const rest = 'the rest of Node';
/** The start of a process, which is not what is asked. */
const isLoading = ({ url }: CallFrame) => /^node:internal\/(modules|deps|bootstrap|main)|^wasm:/.test(url);

function isSocketCall(name: string): boolean {
  return ['writeBuffer', 'writeUtf8String', 'writeLatin1String', 'writev'].includes(name);
}

export function profilerArgs(dir: string | undefined): (process: string) => string[] {
  if (dir === undefined) return () => [];
  mkdirSync(dir, { recursive: true });
  return (process) => [
    '--cpu-prof',
    `--cpu-prof-dir=${resolve(dir)}`,
    `--cpu-prof-name=${process}.cpuprofile`,
  ];
}

/** What each process did with its time, in hundredths of the time that it was busy after its start. */
export function profileText(dir: string, processes: readonly string[]): string {
  const names = [...kinds.map(([name]) => name), rest];
  const rows = processes
    .map((process) => ({ process, file: join(dir, `${process}.cpuprofile`) }))
    .filter(({ file }) => existsSync(file))
    .map(({ process, file }) => {
      const shares = sharesOf(JSON.parse(readFileSync(file, 'utf8')) as Profile);
      return [process, ...names.map((name) => `${((shares.get(name) ?? 0) * 100).toFixed(0)} %`)];
    });
  return table(['', ...names], rows);
}

function sharesOf({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent = new Map<string, number>();
  let busy = 0;
  samples.forEach((id, i) => {
    const frame = frames.get(id);
    if (!frame || frame.functionName === '(idle)' || isLoading(frame)) return;
    const kind = kinds.find(([, matches]) => matches(frame))?.[0] ?? rest;
    const time = timeDeltas[i] ?? 0;
    spent.set(kind, (spent.get(kind) ?? 0) + time);
    busy += time;
  });
  return new Map([...spent].map(([kind, time]) => [kind, time / busy]));
}
