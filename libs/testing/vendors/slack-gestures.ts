import { createHmac } from 'node:crypto';
import { type Answer, post } from './post.ts';
import { clickPayload, type Filled, type Pressed, submissionPayload } from './slack-payloads.ts';
import type { SlackSockets } from './slack-socket.ts';
import { applySubmissionAnswer } from './slack-views.ts';
import type { Workspace } from './slack-workspace.ts';

/** What an attacker, a clock or a proxy does to a request. A socket has no signature, so these go to the URL. */
export type Forgery = {
  signingSecret?: string;
  /** Instead of the right signature; null leaves the header out. */
  signature?: string | null;
  /** Seconds that the timestamp is off; it is signed as it stands. */
  timestampOffset?: number;
  /** Instead of the right timestamp, and signed; null leaves the header out. */
  timestamp?: string | null;
};
export type GestureOptions = Forgery & {
  /** Of another workspace that has the app. */
  teamId?: string;
};
export type GestureAnswer = Answer & {
  /** The very same request once more, byte for byte. */
  again(): Promise<Answer>;
};

export type Click = GestureOptions &
  Pressed & {
    user: string;
    channel: string;
    ts: string;
    /** The button as it was before the message changed. */
    stale?: boolean;
  };
export type Submission = GestureOptions & { user: string; viewId: string; values: Filled };

type Context = {
  workspace: Workspace;
  sockets: SlackSockets;
  slackUrl: string;
  /** Where the app said that Slack reaches it. */
  interactiveUrl(): string | undefined;
};

/** What people do in Slack, as it reaches the app. */
export function createGestures({ workspace, sockets, slackUrl, interactiveUrl }: Context) {
  const { settings } = workspace;

  async function click({ user, channel, ts, actionId, value, stale = false, ...options }: Click) {
    const message = workspace.messageAt(channel, ts);
    if (!message) throw new Error(`there is no message ${ts} in ${channel}`);
    const versions = stale ? message.earlierBlocks.toReversed() : [message.blocks];
    const pressed = { actionId, ...(value === undefined ? {} : { value }) };
    const { teamId = settings.teamId } = options;
    return deliver(clickPayload(workspace, { user, message, versions, pressed, teamId }, slackUrl), options);
  }

  async function submit({ user, viewId, values, ...options }: Submission): Promise<GestureAnswer> {
    const view = workspace.views.get(viewId);
    if (!view) throw new Error(`the modal ${viewId} is not open`);
    const { teamId = settings.teamId } = options;
    const answer = await deliver(submissionPayload(workspace, { user, view, values, teamId }), options);
    if (answer.status === 200) applySubmissionAnswer(workspace, view, answer.body);
    return answer;
  }

  /** Any payload, as if Slack had made it. */
  async function deliver(payload: object, options: GestureOptions = {}): Promise<GestureAnswer> {
    const { teamId: _, ...forgery } = options;
    const send = sockets.open() > 0 && Object.keys(forgery).length === 0 ? overSocket : overHttp;
    return send(payload, forgery);
  }

  async function overSocket(payload: object): Promise<GestureAnswer> {
    const again = sockets.envelope(payload);
    return { ...(await again()), again };
  }

  async function overHttp(payload: object, forgery: Forgery): Promise<GestureAnswer> {
    const url = interactiveUrl();
    if (url === undefined) throw new Error('no socket is open, and interactiveUrl is not set');
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const headers = { ...signed(body, forgery), 'content-type': 'application/x-www-form-urlencoded' };
    const again = () => post(url, headers, body, settings.answerWithinMs);
    return { ...(await again()), again };
  }

  function signed(body: string, forgery: Forgery): Record<string, string> {
    const { signingSecret = settings.signingSecret, timestampOffset = 0, signature } = forgery;
    const right = `${Math.floor(settings.now() / 1000) + timestampOffset}`;
    const timestamp = forgery.timestamp === undefined ? right : forgery.timestamp;
    const hmac = createHmac('sha256', signingSecret).update(`v0:${timestamp ?? right}:${body}`);
    return {
      ...(timestamp === null ? {} : { 'x-slack-request-timestamp': timestamp }),
      ...(signature === null ? {} : { 'x-slack-signature': signature ?? `v0=${hmac.digest('hex')}` }),
    };
  }

  return { click, submit, deliver };
}
