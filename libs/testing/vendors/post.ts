import { request } from 'node:http';
import { parseJson } from './server.ts';

export type Answer = { status: number; body: unknown; tookMs: number };

/** One request on a connection of its own. It fails when the answer is not there in time, as a vendor gives up. */
export function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  withinMs: number,
): Promise<Answer> {
  const started = performance.now();
  return new Promise((done, fail) => {
    const signal = AbortSignal.timeout(withinMs);
    const failed = (cause: Error) =>
      fail(signal.aborted ? new Error(`${url} did not answer within ${withinMs} ms`) : cause);
    const sent = request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', failed);
      response.on('end', () => {
        const tookMs = performance.now() - started;
        done({ status: response.statusCode ?? 0, body: parseJson(text) ?? text, tookMs });
      });
    });
    sent.on('error', failed);
    sent.end(body);
  });
}
