import { backoffMs, type Logger, type Resources, sleep } from '@placet/runtime';
import { type Connection, type NatsServer, type NatsServerOptions, startNatsServer } from './nats-server.ts';

/**
 * A private broker that is started again when it ends by itself, at the same address and with the same password, so
 * that the services find it again.
 */
export async function keepBroker(
  options: NatsServerOptions,
  logger: Logger,
  resources: Resources,
): Promise<Connection> {
  const stopping = new AbortController();
  let server = await startNatsServer(options);
  const { url, user, password } = server;
  const reuse: Connection = { url, user, password };

  async function keep(): Promise<void> {
    for (;;) {
      const { code, signal, requested } = await server.exited;
      if (requested || stopping.signal.aborted) return;
      logger.error({ code, signal }, 'nats-server ended by itself; starting it again');
      const next = await again();
      if (!next) return;
      server = next;
    }
  }

  async function again(): Promise<NatsServer | null> {
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      try {
        return await startNatsServer({ ...options, reuse });
      } catch (error) {
        logger.error({ err: error }, 'nats-server did not start');
        await sleep(backoffMs(attempt), stopping.signal);
      }
    }
    return null;
  }

  const kept = keep();
  resources.add('nats-server', async () => {
    stopping.abort();
    await server.stop();
    await kept;
    // One that was being started while we stopped.
    await server.stop();
  });
  return reuse;
}
