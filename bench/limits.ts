import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer } from '@placet/embedded';
import { connectNats, createLogger, Resources } from '@placet/runtime';
import { fastify } from 'fastify';
import { createCaller } from './http.ts';
import { load, type Sample } from './measure.ts';

/** What the parts cost alone, in the same run on the same machine. */
export async function bareRoute(total: number): Promise<Sample> {
  const app = fastify();
  app.post('/', () => ({ decision: 'allowed' }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const caller = createCaller(`http://127.0.0.1:${port}`);
  try {
    return await load(1, total, async () => void (await caller.call('/', { action_name: 'read' })));
  } finally {
    caller.close();
    await app.close();
  }
}

export async function barePublish(natsServer: string, syncAlways: boolean, total: number): Promise<Sample> {
  const dir = mkdtempSync(join(tmpdir(), 'placet-bench-'));
  const logger = createLogger({ level: 'silent' });
  const resources = new Resources(logger);
  try {
    const server = await startNatsServer({ binary: natsServer, dir, syncAlways });
    resources.add('nats-server', () => server.stop());
    const { js, jsm } = await connectNats({ ...server, name: 'bench' }, logger, resources);
    await jsm.streams.add({ name: 'BENCH', subjects: ['bench.>'] });
    const body = 'x'.repeat(1000);
    return await load(1, total, async (n) => void (await js.publish(`bench.${n}`, body)));
  } finally {
    await resources.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
