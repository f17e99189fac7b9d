import { releaseAfterTest } from '../cleanup.ts';
import { createFailures } from './failures.ts';
import { startVendorServer } from './server.ts';
import { createSlackApi, type SlackCall } from './slack-api.ts';
import { createGestures } from './slack-gestures.ts';
import { createSockets } from './slack-socket.ts';
import { createWorkspace, type SlackMessage, type SlackOptions } from './slack-workspace.ts';

type Said = Pick<SlackMessage, 'user' | 'channel' | 'text'> &
  Partial<Pick<SlackMessage, 'threadTs' | 'metadata'>>;
export type FakeSlack = Awaited<ReturnType<typeof startFakeSlack>>;

/** A Slack workspace with one app in it: its Web API, Socket Mode, and the people who click. */
export async function startFakeSlack(options: SlackOptions = {}) {
  const workspace = createWorkspace(options);
  const { settings, messages } = workspace;
  const failures = createFailures();
  const calls: SlackCall[] = [];
  let interactiveUrl: string | undefined;

  const http = await startVendorServer('fake Slack', (request, response) => api(request, response));
  const sockets = createSockets(http.server, settings.answerWithinMs);
  const api = createSlackApi({ workspace, failures, calls, newSocketUrl: sockets.newUrl });
  const close = async () => {
    sockets.close();
    await http.close();
  };
  releaseAfterTest('sockets of the fake Slack', close);

  function channel(reference: string) {
    const found = workspace.channelToPost(reference);
    if (!found) throw new Error(`there is no channel ${reference} in this Slack`);
    return found;
  }

  return {
    url: http.url,
    /** For `slackApiUrl` of the clients. */
    apiUrl: `${http.url}/api/`,
    ...settings,
    close,
    calls,
    failNext: failures.failNext,
    /** As they stand now, the oldest first, with the replies of threads. By id or #name, or a user's id. */
    messages: (reference: string): SlackMessage[] =>
      messages.filter((message) => message.channel === channel(reference).id),
    ephemerals: workspace.ephemerals,
    views: workspace.views,
    /** From now on the bot's token is good for nothing; null makes it good again. */
    revokeToken(
      problem: 'token_revoked' | 'account_inactive' | 'invalid_auth' | null = 'token_revoked',
    ): void {
      workspace.token.problem = problem;
    },
    changeChannel(reference: string, change: { member?: boolean; archived?: boolean }): void {
      Object.assign(channel(reference), change);
    },
    /** A person writes something, or another app. */
    say(of: Said): SlackMessage {
      return workspace.add({ ...of, channel: channel(of.channel).id, blocks: [] });
    },
    /** Where the app takes gestures, as one enters it in the app's settings. */
    get interactiveUrl(): string | undefined {
      return interactiveUrl;
    },
    set interactiveUrl(url: string | undefined) {
      interactiveUrl = url;
    },
    sockets: {
      open: sockets.open,
      greeted: sockets.greeted,
      disconnect: sockets.disconnect,
      cut: sockets.cut,
    },
    ...createGestures({
      workspace,
      sockets,
      slackUrl: http.url,
      interactiveUrl: () => interactiveUrl,
    }),
  };
}
