import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { type Detail, errorTable, Refusal } from './errors.ts';
import { nearest } from './nearest.ts';

const detailsMax = 50;
/** No name of ours is longer: what is, is no slip of the pen. */
const nameCharsMax = 60;

type Validation = { instancePath: string; message?: string | undefined; params?: unknown };

type Part = 'body' | 'querystring';

/** What does not fit a route's schema, by path and in words; the first of it in the message too. */
export function misfit(
  validation: readonly Validation[],
  part: string | undefined,
  request: FastifyRequest,
): Refusal {
  const { schema } = request.routeOptions;
  if (schema?.body && request.body === undefined) {
    return misfitOf([{ path: '', message: 'The body is empty: send a JSON object.' }]);
  }
  const namesOf = (one: Part) => {
    const found = schema?.[one];
    return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
  };
  const here: Part = part === 'querystring' ? 'querystring' : 'body';
  const place: Part = here === 'body' ? 'querystring' : 'body';
  const known = { here: namesOf(here), elsewhere: namesOf(place), place };
  return misfitOf(validation.slice(0, detailsMax).flatMap((problem) => detailsOf(problem, known)));
}

type Known = { here: string[]; elsewhere: string[]; place: Part };

export function misfitOf(details: Detail[]): Refusal {
  const [first] = details;
  const more = details.length > 1 ? ` And ${details.length - 1} more: see details.` : '';
  const what = first ? ` ${first.path ? `${first.path}: ` : ''}${first.message}${more}` : '';
  return new Refusal('VALIDATION_ERROR', {
    message: `${errorTable.VALIDATION_ERROR.message}${what}`,
    details: details.slice(0, detailsMax),
  });
}

export function unknownField(path: string, known?: Known): Detail {
  if (known?.elsewhere.includes(path)) {
    const where = known.place === 'body' ? 'the body' : 'the query';
    return { path, message: `This field is unknown here: it belongs into ${where}.` };
  }
  const like = path.length <= nameCharsMax ? nearest(path, known?.here ?? []) : undefined;
  const hint = like === undefined ? '' : ` Did you mean ${like}?`;
  return { path, message: `This field is unknown. Remove it; Placet ignores nothing.${hint}` };
}

/** An unknown field is reported by its own path, not by that of the object that holds it. */
function detailsOf({ instancePath, message = 'does not fit', params }: Validation, known: Known): Detail[] {
  const path = pathOf(instancePath.split('/').filter(Boolean));
  const keys = (params as { keys?: string[] } | undefined)?.keys?.slice(0, detailsMax + 1);
  if (keys) return keys.map((key) => (path ? unknownField(`${path}.${key}`) : unknownField(key, known)));
  return [{ path, message: inWords(message) }];
}

const kinds: Record<string, string> = {
  string: 'text',
  record: 'an object',
  object: 'an object',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  NaN: 'no number',
};
const kindOf = (word: string) => kinds[word] ?? word;

/** A schema speaks of types; whoever writes a request has fields. */
function inWords(message: string): string {
  const { expected, received } =
    /expected (?<expected>\w+), received (?<received>\w+)$/.exec(message)?.groups ?? {};
  if (!expected || !received) return message;
  if (received === 'undefined') return `This field is missing: it has to be ${kindOf(expected)}.`;
  return `It has to be ${kindOf(expected)}, and is ${kindOf(received)}.`;
}

/** `payload.items[3].amount`, as strict JSON says it too. */
function pathOf(segments: string[]): string {
  return segments.reduce((path, segment) => {
    if (/^\d+$/.test(segment)) return `${path}[${segment}]`;
    return path ? `${path}.${segment}` : segment;
  }, '');
}
