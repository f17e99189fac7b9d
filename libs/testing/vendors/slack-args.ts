import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';
import { parseJson, readBody } from './server.ts';

/** What Slack answers `ok: false` with. */
export class SlackError extends Error {
  readonly code: string;
  readonly messages: readonly string[];

  constructor(code: string, messages: readonly string[] = []) {
    super(code);
    this.code = code;
    this.messages = messages;
  }
}

export type Args = Record<string, unknown>;

/** The arguments of a call, form-encoded or JSON. */
export async function readArgs(request: IncomingMessage): Promise<Args> {
  const body = (await readBody(request)).toString();
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) return { ...parse(body) };
  if (!type.startsWith('application/json')) throw new SlackError('invalid_post_type');
  const parsed = parseJson(body);
  if (parsed === undefined) throw new SlackError('invalid_json');
  if (!isRecord(parsed)) throw new SlackError('json_not_object');
  return parsed;
}

export function textOf(args: Args, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' ? value : undefined;
}

export function flagOf(args: Args, name: string): boolean {
  return [true, 'true', 1, '1'].some((yes) => args[name] === yes);
}

export function integerOf(args: Args, name: string, otherwise: number): number {
  const value = Number(args[name] ?? otherwise);
  if (!Number.isInteger(value)) throw new SlackError('invalid_arguments');
  return value;
}

/** What is an object in JSON is a text of JSON in a form. */
export function objectOf(args: Args, name: string, error: string): unknown {
  const value = args[name];
  if (typeof value !== 'string') return value;
  const parsed = parseJson(value);
  if (parsed === undefined) throw new SlackError(error);
  return parsed;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
