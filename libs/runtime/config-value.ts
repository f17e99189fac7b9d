import * as z from 'zod';
import type { BusContext } from './context.ts';

/** Who changed a value of the configuration, when and why, and the revision that it replaced. */
export const Change = z.object({
  value: z.unknown(),
  by: z.string(),
  at: z.iso.datetime(),
  why: z.string().optional(),
  replaces: z.number().int().nonnegative(),
});

/** The seal is the last member of the value, so that the value stays readable JSON. */
export function sealInto(context: BusContext, place: string, body: string): string {
  if (!context.sealer) throw new Error(`${context.service} holds no key and changes no configuration`);
  return `${body.slice(0, -1)},"seal":"${context.sealer.seal(place, body)}"}`;
}

export function openSealed(
  context: BusContext,
  place: string,
  text: string,
): { opened: unknown; seal: string } {
  const match = /^(.*),"seal":"([^"]+)"\}$/s.exec(text);
  const [, start = '', seal = ''] = match ?? [];
  const body = `${start}}`;
  if (!match || (context.sealer && !context.sealer.check(place, body, seal)))
    return { opened: undefined, seal };
  try {
    return { opened: JSON.parse(body), seal };
  } catch {
    // It must not throw: the value before it would stay in force, and no later one would be read.
    return { opened: undefined, seal };
  }
}
