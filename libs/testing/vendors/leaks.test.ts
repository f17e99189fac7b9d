import {
  eventually,
  releaseAfterEach,
  startFakePagerDuty,
  startFakeSlack,
  startFakeSmtp,
} from '@placet/testing';
import { WebClient } from '@slack/web-api';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { quiet } from './test-app.ts';

releaseAfterEach();

const kinds = ['TCPServerWrap', 'TCPSocketWrap', 'Timeout'];

/** What keeps this process alive, by its kind. */
function held(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind));
}

/** For so long the client of Slack may hold a timer, of a file that ran in this process before. */
const leftMsMax = 35_000;

async function leavesNothing(work: () => Promise<void>): Promise<void> {
  await eventually(() => expect(held()).toEqual([]), leftMsMax);
  await work();
  await eventually(() => expect(held()).toEqual([]));
}

describe('closing leaves nothing behind', () => {
  it('of Slack, with a call that hangs and a socket that has not acknowledged', async () => {
    await leavesNothing(async () => {
      const slack = await startFakeSlack();
      slack.failNext('auth.test', 'hang');
      const options = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, logger: quiet };
      const call = expect(new WebClient(slack.botToken, options).auth.test()).rejects.toThrow();
      const { url = '' } = await new WebClient(slack.appToken, options).apps.connections.open();
      const socket = new WebSocket(url);
      const gone = new Promise((done) => {
        socket.onclose = done;
      });
      await eventually(() => expect(slack.sockets.open()).toBe(1));
      const gesture = expect(slack.deliver({ type: 'block_actions' })).rejects.toThrow('was closed');
      expect(held().length).toBeGreaterThan(2);
      await slack.close();
      await Promise.all([call, gone, gesture]);
    });
  });

  it('of a mail server that has not said its greeting', async () => {
    await leavesNothing(async () => {
      const smtp = await startFakeSmtp({ greetingDelayMs: 60_000 });
      const transport = createTransport(smtp.url);
      const letter = { from: 'placet@example.com', to: 'ann@example.com', text: 'Decide.' };
      const sending = expect(transport.sendMail(letter)).rejects.toThrow();
      await eventually(() => expect(smtp.waitingForGreeting()).toBe(1));
      await smtp.close();
      await sending;
      transport.close();
    });
  });

  it('of PagerDuty, with an event that hangs', async () => {
    await leavesNothing(async () => {
      const pagerDuty = await startFakePagerDuty();
      pagerDuty.failNext('hang');
      const sent = fetch(`${pagerDuty.url}/v2/enqueue`, { method: 'POST', body: '{}' });
      const failed = expect(sent).rejects.toThrow();
      await eventually(() => expect(held().length).toBeGreaterThan(1));
      await pagerDuty.close();
      await failed;
    });
  });
});
