import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonWith } from '@placet/cluster/python.ts';
import { releaseAfterTest, type TestCluster, temporaryDirectory } from '@placet/testing';
import { checkout } from '../../libs/testing/program.ts';
import { secretFiles } from '../../scripts/deploy/make-secrets.ts';

/** What the document's Python needs. */
export const subscriberPackages = ['nats-py==2.16.0', 'pyjwt[crypto]==2.15.1'];

const languages = { ts: 'TypeScript', python: 'Python' } as const;
export type Language = keyof typeof languages;

/** What a subscriber has said, line by line. */
export type Subscriber = { lines(): string[]; errors(): string };

/** Runs the subscriber of docs/subscribe.md, as it stands there, as the user of this subscriber. */
export async function startSubscriber(
  cluster: TestCluster,
  language: Language,
  name: string,
): Promise<Subscriber> {
  const dir = temporaryDirectory();
  const script = join(dir, language === 'ts' ? 'subscriber.ts' : 'subscriber.py');
  writeFileSync(script, blockOf(language));
  symlinkSync(join(checkout, 'node_modules'), join(dir, 'node_modules'));
  const program = language === 'ts' ? process.execPath : await pythonWith(subscriberPackages);
  const user = `subscriber-${name}`;
  const child = spawn(program, [script], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      NATS_URL: cluster.natsUrl,
      NATS_USER: user,
      NATS_PASSWORD: readFileSync(join(cluster.secretsDir, secretFiles.natsPassword(user)), 'utf8').trim(),
      PLACET_URL: cluster.of('gateway')[0]?.url,
    },
  });
  releaseAfterTest(`subscriber ${name}`, () => void child.kill('SIGKILL'));
  const stdout = collect(child, 'stdout');
  return { lines: () => stdout().split('\n').filter(Boolean), errors: collect(child, 'stderr') };
}

function collect(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  let text = '';
  child[name]?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return () => text;
}

/** The one block of a language in the document that is a whole program. */
function blockOf(language: Language): string {
  const document = readFileSync(join(checkout, 'docs/subscribe.md'), 'utf8');
  const blocks = [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, mark]) => mark === language);
  const [block, ...more] = blocks.map(([, , text]) => text ?? '');
  if (!block || more.length > 0)
    throw new Error(`docs/subscribe.md has not one block in ${languages[language]}`);
  return block;
}
