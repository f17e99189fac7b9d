import { type BusContext, type Resources, sleep } from '@placet/runtime';
import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import type { Interactions } from './interactions.ts';

const timeoutMs = 5000;
const againMs = { first: 200, max: 30_000 };
const closeWithinMs = 2000;

type Parts = { context: BusContext; resources: Resources; interactions: Interactions };
type Event = { ack: (answer?: Record<string, unknown>) => Promise<void>; body: unknown };

/** For those whom Slack cannot reach: the gateway calls Slack, and hears over that of what people do. */
export function listenToSlack(
  { context, resources, interactions }: Parts,
  { appToken, apiUrl }: { appToken: string; apiUrl: string },
): void {
  const { logger } = context;
  const stopping = new AbortController();
  const client = new SocketModeClient({
    appToken,
    clientOptions: { slackApiUrl: apiUrl, timeout: timeoutMs, retryConfig: { retries: 0 } },
    // By itself it connects again without anybody to hear that it could not, which would end the process.
    autoReconnectEnabled: false,
    logger: {
      debug: () => {},
      info: () => {},
      warn: (...words: unknown[]) => logger.debug({ slack: words.map(String) }, 'the connection to Slack'),
      error: (...words: unknown[]) => logger.debug({ slack: words.map(String) }, 'the connection to Slack'),
      setLevel: () => {},
      getLevel: () => LogLevel.INFO,
      setName: () => {},
    },
  });
  surviveFrames(client, (error) =>
    logger.warn({ err: error }, 'Slack sent something that is not understood'),
  );
  client.on('interactive', ({ ack, body }: Event) => void answer(ack, body));

  // This must not throw: nobody waits for it.
  async function answer(ack: Event['ack'], body: unknown): Promise<void> {
    try {
      await ack({ ...(await interactions(body)) });
    } catch (error) {
      logger.warn({ err: error }, 'what somebody did in Slack was not answered');
    }
  }

  /** Without it people cannot click, and everything else goes on. */
  async function stayConnected(): Promise<void> {
    let waitMs = againMs.first;
    while (!stopping.signal.aborted) {
      try {
        const over = new Promise<void>((done) => client.once('disconnected', () => done()));
        await Promise.race([client.start(), tooLong(stopping.signal)]);
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
    const closed = client.disconnect().then(() => staying);
    await Promise.race([closed, sleep(closeWithinMs)]);
  });
}

const startWithinMs = 20_000;

async function tooLong(signal: AbortSignal): Promise<never> {
  await sleep(startWithinMs, signal);
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
