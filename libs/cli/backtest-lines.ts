import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { BacktestResult } from '@placet/policy';

export type FullResult = BacktestResult & {
  scope: string;
  from: string | null;
  until: string;
  unreadable: number;
};
export type Progress = { requests: number; share: number };
export type BacktestLine = { progress: Progress } | { result: FullResult } | { problem: string };

type Asked = {
  url: string;
  token: string;
  scope: string;
  query: Record<string, string | undefined>;
  policy: string;
};

/** What Placet says, line by line. What goes wrong is a line too, and the last one. */
export async function* backtestLines(asked: Asked): AsyncGenerator<BacktestLine> {
  try {
    const response = await ask(asked);
    if (response.status !== 200 || !response.body) {
      yield { problem: problemIn(await response.text(), response.status) };
      return;
    }
    for await (const text of createInterface(Readable.fromWeb(response.body as ReadableStream))) {
      const line = JSON.parse(text) as BacktestLine | { error: string; message: string };
      yield 'error' in line ? { problem: line.message } : line;
    }
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { message?: string } };
    yield { problem: `${asked.url} does not answer: ${cause?.message ?? message}` };
  }
}

function ask({ url, token, scope, query, policy }: Asked): Promise<Response> {
  const address = new URL(`/v1/policies/${encodeURIComponent(scope)}/backtest`, url);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) address.searchParams.set(name, value);
  return fetch(address, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/yaml' },
    body: policy,
  });
}

function problemIn(text: string, status: number): string {
  try {
    const { message, details } = JSON.parse(text) as { message: string; details?: unknown };
    const isList = Array.isArray(details) && !message.includes('\n');
    const more = isList ? details.map(({ path, message }) => `\n  ${path}: ${message}`).join('') : '';
    return `${message}${more}`;
  } catch {
    return `Placet answered ${status}`;
  }
}
