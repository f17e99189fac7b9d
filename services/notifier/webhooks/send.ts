import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { signWebhook } from '@placet/proof';
import { AddressRefused, createAddressGuard } from '@placet/runtime';
import { outcomeOf, type WebhookOutcome } from './outcome.ts';

const responseBytesMax = 16_384;
const agentOptions = {
  keepAlive: true,
  maxSockets: 16,
  maxFreeSockets: 4,
  timeout: 60_000,
};

export type Webhook = {
  url: string;
  secrets: readonly string[];
  /** The same over all attempts. */
  id: string;
  body: string | Uint8Array;
  contentType?: string;
  now: Date;
  signal?: AbortSignal;
};

export type WebhookSender = {
  /** One attempt. It throws only on what is no webhook at all: a malformed secret or id. */
  send(webhook: Webhook): Promise<WebhookOutcome>;
  close(): void;
};

export function createWebhookSender(options: {
  allowedHosts: readonly string[];
  timeoutMs?: number;
}): WebhookSender {
  const { timeoutMs = 15_000 } = options;
  const guard = createAddressGuard(options);
  const agents = { http: new http.Agent(agentOptions), https: new https.Agent(agentOptions) };

  function post(url: URL, lookup: LookupFunction, headers: http.OutgoingHttpHeaders, signal: AbortSignal) {
    const request = { method: 'POST', headers, lookup, signal };
    return url.protocol === 'https:'
      ? https.request(url, { ...request, agent: agents.https })
      : http.request(url, { ...request, agent: agents.http });
  }

  return {
    async send({ url, secrets, id, body, contentType = 'application/cloudevents+json', now, signal }) {
      const signature = signWebhook({ id, timestamp: now, body, secrets });
      const target = guard.checkUrl(url);
      if (!target.ok) return { outcome: 'refused', reason: target.reason };
      const headers = {
        ...signature,
        'content-type': contentType,
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Placet',
      };
      const deadline = AbortSignal.timeout(timeoutMs);
      const stop = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
      try {
        const response = await responseTo(post(target.url, target.lookup, headers, stop), body);
        discardBody(response);
        return outcomeOf(response.statusCode ?? 0, response.headers['retry-after'], now);
      } catch (error) {
        if (error instanceof AddressRefused) return { outcome: 'refused', reason: error.message };
        if (deadline.aborted) return { outcome: 'retry', reason: `No answer within ${timeoutMs} ms.` };
        if (signal?.aborted) return { outcome: 'retry', reason: 'The attempt was called off.' };
        return { outcome: 'retry', reason: `The request failed: ${failureOf(error)}.` };
      }
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function responseTo(request: http.ClientRequest, body: string | Uint8Array): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    // On `close` alone it ends when the answer is 101: nobody asked for another protocol.
    request
      .on('response', resolve)
      .on('error', reject)
      .on('close', () => reject(new NoAnswer()));
    request.end(body);
  });
}

class NoAnswer extends Error {
  readonly code = 'NO_ANSWER';
}

/** The answer is in the status. The body is read so that the connection can serve again, unless it is long. */
function discardBody(response: http.IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > responseBytesMax) response.destroy();
  });
  // The status has been read: what happens to the rest of the body changes nothing.
  response.on('error', () => {});
}

/** The code alone: messages of errors can quote the URL, which can hold a secret of its own. */
function failureOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
