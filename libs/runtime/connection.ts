import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { backoffMs, type Resources } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import { createSender, type Sender } from './sender.ts';

/** Atomic counters, versions over a wildcard and `sync_interval` begin here. */
export const natsFloor = '2.12.0';

/** How long the broker may take to confirm an event. */
const confirmedWithinMs = 1500;

export type Nats = { nc: NatsConnection; js: JetStreamClient; jsm: JetStreamManager };
/** `isConnected` is false while the broker is away, and after the end. */
export type NatsClient = Nats & { sender: Sender; isConnected: () => boolean };

/** Where the broker is, who we are to it, and under which subjects our account finds JetStream. */
export type Broker = { url: string; user?: string; password?: string; apiPrefix?: string };

export async function connectNats(
  options: Broker & { name: string },
  logger: Logger,
  resources: Resources,
): Promise<NatsClient> {
  let attempt = 0;
  const inboxPrefix = `_INBOX_${options.name}`;
  const nc = await connect({
    servers: options.url.split(','),
    name: options.name,
    inboxPrefix,
    ...(options.user ? { user: options.user, pass: options.password ?? '' } : {}),
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    reconnectDelayHandler: () => backoffMs(attempt++, 100, 2000),
    ignoreAuthErrorAbort: true,
    // A stack trace made for each request, in case it fails, costs more than the request.
    noAsyncTraces: true,
    pingInterval: 10_000,
    maxPingOut: 2,
  });
  resources.add(`nats ${options.name}`, () => nc.close());
  assertVersion(nc.info?.version ?? '0');
  let connected = true;
  void watchStatus(nc, logger, (isBack) => {
    connected = isBack;
    if (isBack) attempt = 0;
  });
  const isConnected = () => connected && !nc.isClosed();
  const { apiPrefix = '$JS.API' } = options;
  const jsm = await jetstreamManager(nc, { checkAPI: false, apiPrefix });
  const sender = createSender(nc, inboxPrefix, confirmedWithinMs);
  return { nc, js: jetstream(nc, { apiPrefix }), jsm, sender, isConnected };
}

export function assertVersion(version: string): void {
  const number = (v: string) => v.split(/[.-]/, 3).reduce((n, part) => n * 1000 + (Number(part) || 0), 0);
  if (number(version) >= number(natsFloor)) return;
  throw new Error(
    `nats-server ${version} is too old: Placet needs ${natsFloor} or newer (atomic counters, versions over a wildcard).`,
  );
}

async function watchStatus(
  nc: NatsConnection,
  logger: Logger,
  onChange: (isConnected: boolean) => void,
): Promise<void> {
  for await (const status of nc.status()) {
    if (status.type === 'reconnect') {
      onChange(true);
      logger.info('connected to NATS again');
    } else if (status.type === 'disconnect') {
      onChange(false);
      logger.warn('lost NATS; trying again until it is back');
    } else if (status.type === 'error') {
      logger.warn({ err: status.error }, 'NATS reports an error');
    }
  }
}
