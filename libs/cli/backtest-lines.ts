import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import * as z from 'zod';

export type Progress = { requests: number; share: number };
const Decide = z.enum(['allow', 'deny', 'require_approval']);
const Counts = z.object({ allow: z.number(), deny: z.number(), require_approval: z.number() });
const Said = z.object({
  decide: Decide,
  rule: z.string().nullable(),
  scope: z.string().nullable(),
  reason: z.string(),
});
const Change = z.object({
  from: Decide,
  to: Decide,
  count: z.number(),
  actions: z.array(z.object({ action: z.string(), count: z.number() })),
  examples: z.array(
    z.object({
      id: z.string(),
      action: z.string(),
      agent: z.string(),
      at: z.string(),
      before: Said,
      after: Said,
    }),
  ),
});
const FullResult = z.object({
  scope: z.string(),
  from: z.string().nullable(),
  until: z.string(),
  unreadable: z.number(),
  requests: z.number(),
  concerned: z.number(),
  before: Counts,
  after: Counts,
  changed: z.number(),
  interruptions: z.number(),
  changes: z.array(Change),
  rules: z.array(z.object({ scope: z.string(), rule: z.string(), count: z.number() })),
  idle: z.array(z.object({ rule: z.string(), line: z.number(), set: z.string().nullable() })),
});
export type FullResult = z.infer<typeof FullResult>;
/** What comes is somebody else's word, whatever address was named. */
const Line = z.union([
  z.object({ progress: z.object({ requests: z.number(), share: z.number() }) }),
  z.object({ result: FullResult }),
  z.object({ error: z.string(), message: z.string() }),
]);

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
      const line = Line.parse(JSON.parse(text));
      yield 'error' in line ? { problem: line.message } : line;
    }
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { message?: string } };
    const isOurs = error instanceof z.ZodError || error instanceof SyntaxError;
    const why = isOurs ? 'answers what Placet does not' : `does not answer: ${cause?.message ?? message}`;
    yield { problem: `${asked.url} ${why}` };
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
