import { type BusContext, type Resources, sleep } from '@placet/runtime';
import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import type { Interactions } from './interactions.ts';

const timeoutMs = 5000;
const greetWithinMs = 20_000;
const againMs = { first: 200, max: 30_000 };
const closeWithinMs = 2000;

type Parts = { context: BusContext; resources: Resources; interactions: Interactions };
type Settings = { appToken: string; apiUrl: string };
type Event = {
  ack: (answer?: Record<string, unknown>) => Promise<void>;
  envelope_id: string;
  body: unknown;
};

/** For those whom Slack cannot reach: the gateway calls Slack, and hears over that of what people do. */
export function listenToSlack({ context, resources, interactions }: Parts, settings: Settings): void {
  const { logger } = context;
  const stopping = new AbortController();

  /** Without it people cannot click, and everything else goes on. */
  async function stayConnected(): Promise<void> {
    let waitMs = againMs.first;
    while (!stopping.signal.aborted) {
      try {
        const { over } = await connection({ context, interactions }, settings, stopping.signal);
        logger.info('Slack is connected');
        waitMs = againMs.first;
        await over;
      } catch (error) {
        logger.warn({ err: error, againInMs: waitMs }, 'no connection to Slack: see PLACET_SLACK_APP_TOKEN');
        waitMs = Math.min(againMs.max, waitMs * 2);
      }
      await sleep(waitMs, stopping.signal);
    }
  }

  const staying = stayConnected();
  resources.add('connection to Slack', async () => {
    stopping.abort();
    await Promise.race([staying, sleep(closeWithinMs)]);
  });
}

/**
 * One connection, by a client of its own: what came by it is acknowledged by it, and the end of one before does nothing
 * to it. When Slack has greeted, the answer is when it is over.
 */
async function connection(
  { context, interactions }: Pick<Parts, 'context' | 'interactions'>,
  settings: Settings,
  signal: AbortSignal,
): Promise<{ over: Promise<void> }> {
  const client = clientOf(context, settings);
  client.on('interactive', (event: Event) => void answer(context, interactions, event));
  const over = new Promise<void>((done) => client.once('disconnected', () => done()));
  // An attempt that is given up may still come to something, which then has to go too.
  const close = () => {
    client.once('connected', () => void client.disconnect());
    return client.disconnect();
  };
  const stop = () => void close();
  signal.addEventListener('abort', stop, { once: true });
  void over.then(() => signal.removeEventListener('abort', stop));
  try {
    await Promise.race([client.start(), tooLong(signal)]);
  } catch (error) {
    signal.removeEventListener('abort', stop);
    void close();
    throw error;
  }
  return { over };
}

// This must not throw: nobody waits for it.
async function answer(
  { logger }: BusContext,
  interactions: Interactions,
  { ack, envelope_id, body }: Event,
): Promise<void> {
  try {
    await ack({ ...(await interactions(body, { mark: envelope_id })) });
  } catch (error) {
    logger.warn({ err: error }, 'what somebody did in Slack was not answered');
  }
}

function clientOf({ logger }: BusContext, { appToken, apiUrl }: Settings): SocketModeClient {
  const quietly = (...words: unknown[]) =>
    logger.debug({ slack: words.map(String) }, 'the connection to Slack');
  const client = new SocketModeClient({
    appToken,
    clientOptions: { slackApiUrl: apiUrl, timeout: timeoutMs, retryConfig: { retries: 0 } },
    // By itself it connects again without anybody to hear that it could not, which would end the process.
    autoReconnectEnabled: false,
    logger: {
      debug: () => {},
      info: () => {},
      warn: quietly,
      error: quietly,
      setLevel: () => {},
      getLevel: () => LogLevel.INFO,
      setName: () => {},
    },
  });
  surviveFrames(client, (error) =>
    logger.warn({ err: error }, 'Slack sent something that is not understood'),
  );
  return client;
}

async function tooLong(signal: AbortSignal): Promise<never> {
  await sleep(greetWithinMs, signal);
  throw new Error('Slack did not greet in time');
}

/** The client reads each frame in a promise that nobody waits for: one that it stumbles over would end the process. */
function surviveFrames(client: SocketModeClient, onError: (error: unknown) => void): void {
  const [read] = client.listeners('ws_message') as ((...frame: unknown[]) => Promise<void>)[];
  if (!read) throw new Error('the client of Slack has changed: it does not read frames where it did');
  client.removeAllListeners('ws_message');
  client.on('ws_message', (...frame: unknown[]) => {
    Promise.resolve()
      .then(() => read(...frame))
      .catch(onError);
  });
}
