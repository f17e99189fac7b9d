import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Failures, playFailure, takesEffect, vendorError } from './failures.ts';
import { sendJson } from './server.ts';
import { type Args, flagOf, readArgs, SlackError, textOf } from './slack-args.ts';
import { chatMethods, contentOf, type Method } from './slack-chat.ts';
import { conversationMethods } from './slack-conversations.ts';
import { bot } from './slack-ids.ts';
import { viewMethods } from './slack-views.ts';
import type { Workspace } from './slack-workspace.ts';

export type SlackCall = {
  method: string;
  args: Args;
  /** What Slack said. Not there for a call that was not answered. */
  answer?: Record<string, unknown>;
};

type Context = { workspace: Workspace; failures: Failures; calls: SlackCall[]; newSocketUrl: () => string };

const methods: Record<string, Method> = { ...chatMethods, ...conversationMethods, ...viewMethods };
const socketMethod = 'apps.connections.open';
const responseTextMax = 40_000;

/** Slack's side of HTTP: the Web API, and the response URLs. */
export function createSlackApi(context: Context) {
  const { workspace, failures, calls } = context;
  const recent = new Map<string, number[]>();

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    if (path.startsWith('/actions/')) return respond(workspace, request, response);
    if (request.method !== 'POST' || !path.startsWith('/api/')) {
      response.writeHead(404).end();
      return;
    }
    const method = path.slice('/api/'.length);
    const call: SlackCall = { method, args: {} };
    calls.push(call);
    const failure = failures.take(method);
    const answer = await answered(async () => {
      call.args = await readArgs(request);
      const error = vendorError(failure);
      if (error !== undefined) throw new SlackError(error);
      return takesEffect(failure) ? run(request, call) : {};
    });
    if (playFailure(failure, response)) return;
    call.answer = answer;
    if (answer['error'] !== 'ratelimited') sendJson(response, answer);
    else sendJson(response, answer, 429, { 'retry-after': '1' });
  };

  function run(request: IncomingMessage, { method, args }: SlackCall): Record<string, unknown> {
    const run = methods[method];
    if (!run && method !== socketMethod) throw new SlackError('unknown_method');
    checkToken(workspace, method, tokenOf(request, args));
    if (!run) return { url: context.newSocketUrl() };
    if (method === 'chat.postMessage') checkRate(textOf(args, 'channel') ?? '');
    return run(workspace, args);
  }

  function checkRate(reference: string): void {
    const { perSecond, rateWindowMs, now } = workspace.settings;
    if (perSecond === undefined) return;
    const channel = workspace.channelToPost(reference)?.id ?? reference;
    const inWindow = (recent.get(channel) ?? []).filter((at) => now() - at < rateWindowMs);
    if (inWindow.length >= perSecond) throw new SlackError('ratelimited');
    recent.set(channel, [...inWindow, now()]);
  }
}

async function answered(work: () => Promise<Record<string, unknown>>): Promise<Record<string, unknown>> {
  try {
    return { ok: true, ...(await work()) };
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    const { code, messages } = error;
    return { ok: false, error: code, ...(messages.length > 0 ? { response_metadata: { messages } } : {}) };
  }
}

function tokenOf({ headers }: IncomingMessage, args: Args): string | undefined {
  return headers.authorization?.replace(/^Bearer /, '') || textOf(args, 'token');
}

function checkToken({ settings, token }: Workspace, method: string, given: string | undefined): void {
  const { botToken, appToken } = settings;
  if (given === undefined) throw new SlackError('not_authed');
  if (given !== botToken && given !== appToken) throw new SlackError('invalid_auth');
  const wanted = method === socketMethod ? appToken : botToken;
  if (given !== wanted) throw new SlackError('not_allowed_token_type');
  if (given === botToken && token.problem !== null) throw new SlackError(token.problem);
}

async function respond(workspace: Workspace, request: IncomingMessage, response: ServerResponse) {
  const args = await readArgs(request);
  const target = workspace.responseUrls.use(request.url ?? '');
  if ('error' in target) return sendJson(response, { ok: false, error: target.error }, 404);
  try {
    applyResponse(workspace, target, args);
    response.end('ok');
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    sendJson(response, { ok: false, error: error.code }, 400);
  }
}

/** What is said to a response URL is for the eyes of the person alone, if nothing else is asked for. */
function applyResponse(
  workspace: Workspace,
  { channel, ts, user }: { channel: string; ts: string; user: string },
  args: Args,
): void {
  const message = workspace.messageAt(channel, ts);
  if (flagOf(args, 'delete_original')) {
    if (message) workspace.remove(message);
    return;
  }
  const { text = '', blocks = [] } = contentOf(args, responseTextMax);
  if (text === '' && blocks.length === 0) throw new SlackError('no_text');
  if (flagOf(args, 'replace_original')) {
    if (message) workspace.replace(message, { text, blocks });
  } else if (args['response_type'] === 'in_channel') {
    workspace.add({ channel, user: bot.userId, text, blocks });
  } else {
    workspace.ephemerals.push({ channel, user, ts: workspace.nextTs(), text, blocks });
  }
}
