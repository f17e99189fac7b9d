import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { UsersProblem } from './explain.ts';
import { nearest } from './nearest.ts';

/** One setting: its name in the environment, how it is read, and a sentence for the documents. */
export type Setting<T> = {
  name: `PLACET_${string}`;
  schema: z.ZodType<T>;
  about: string;
  shown: string;
  /** May come from a file, whose path is in the variable of the same name with `_FILE`; it is never shown. */
  isSecret: boolean;
};
export type SettingsTable = Record<string, Setting<unknown>>;
export type SettingsOf<S extends SettingsTable> = {
  [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

export class SettingsProblem extends UsersProblem {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`Placet cannot start with these settings:\n${problems.map((p) => `  ${p}`).join('\n')}`);
    this.problems = problems;
  }
}

/** `shown` is the default as the documents print it; the schema has to agree. */
export function setting<T>(
  name: `PLACET_${string}`,
  schema: z.ZodType<T>,
  about: string,
  shown: string,
): Setting<T> {
  return { name, schema, about, shown, isSecret: false };
}

/** A setting that is nobody else's to see. */
export function secret<T>(name: `PLACET_${string}`, schema: z.ZodType<T>, about: string): Setting<T> {
  return { name, schema, about, shown: '', isSecret: true };
}

/** Reads all settings at once, and names everything that is wrong with them at once. */
export function readSettings<S extends SettingsTable>(
  table: S,
  env: Record<string, string | undefined>,
): SettingsOf<S> {
  const problems = unknownNames(table, env);
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(table)) {
    const text = textOf(setting, env);
    const read = text.ok ? setting.schema.safeParse(text.value) : null;
    if (read?.success) values[key] = read.data;
    else if (read)
      problems.push(`${shown(setting, env)}: ${read.error.issues.map((i) => i.message).join('; ')}`);
    else if (!text.ok) problems.push(text.problem);
  }
  if (problems.length > 0) throw new SettingsProblem(problems);
  return values as SettingsOf<S>;
}

type Text = { ok: true; value: string | undefined } | { ok: false; problem: string };

function textOf({ name, isSecret }: Setting<unknown>, env: Record<string, string | undefined>): Text {
  const value = env[name] || undefined;
  const file = isSecret ? env[fileName(name)] || undefined : undefined;
  if (file === undefined) return { ok: true, value };
  if (value !== undefined)
    return { ok: false, problem: `${name} and ${fileName(name)} are both set: keep one` };
  try {
    return { ok: true, value: readFileSync(file, 'utf8').trim() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { ok: false, problem: `${fileName(name)}: ${file} cannot be read (${code})` };
  }
}

const fileName = (name: string) => `${name}_FILE`;

/** What is wrong is easier found when it is seen; a secret, or the password in an address, is not shown. */
function shown({ name, isSecret }: Setting<unknown>, env: Record<string, string | undefined>): string {
  if (isSecret) return env[name] ? name : env[fileName(name)] ? fileName(name) : name;
  return `${name}=${(env[name] ?? '').replace(/\/\/.*@/, '//…@')}`;
}

/** Names that the start scripts hand to each other, not settings of a user. */
const internalNames = new Set(['PLACET_SUPERVISOR_PID', 'PLACET_CACHE']);

function unknownNames(table: SettingsTable, env: Record<string, string | undefined>): string[] {
  const known = Object.values(table).flatMap(({ name, isSecret }) =>
    isSecret ? [name as string, fileName(name)] : [name as string],
  );
  return Object.keys(env)
    .filter((name) => name.startsWith('PLACET_') && !known.includes(name) && !internalNames.has(name))
    .map((name) => `${name}: there is no such setting${hintOf(name, known)}`);
}

function hintOf(name: string, known: string[]): string {
  const like = nearest(name, known);
  return like === undefined ? ' (docs/configuration.md lists them all)' : ` (did you mean ${like}?)`;
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export function parseDurationMs(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  return match ? Number(match[1]) * unitMs[match[2] as keyof typeof unitMs] : null;
}

export function wholeNumber(fallback: number, min: number, max: number): z.ZodType<number> {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((n) => n >= min && n <= max, message)
    .default(fallback) as unknown as z.ZodType<number>;
}

export function durationMs(fallback: string, min: string, max: string): z.ZodType<number> {
  const [low, high] = [parseDurationMs(min) ?? 0, parseDurationMs(max) ?? 0];
  return z
    .string()
    .default(fallback)
    .transform((text) => parseDurationMs(text) ?? -1)
    .refine((ms) => ms >= low && ms <= high, `must be a time from ${min} to ${max}, such as ${fallback}`);
}

const unitBytes = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 } as const;

export function byteSize(fallback: string): z.ZodType<number> {
  return z
    .string()
    .default(fallback)
    .transform((text) => {
      const match = /^(\d{1,6})(KB|MB|GB)$/.exec(text);
      return match ? Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes] : 0;
    })
    .refine((bytes) => bytes > 0, `must be a size such as ${fallback} (KB, MB or GB)`);
}

export function oneOf<const T extends readonly [string, ...string[]]>(choices: T, fallback: T[number]) {
  return z.enum(choices, { error: `must be one of ${choices.join(', ')}` }).default(fallback as never);
}

export function yesOrNo(fallback: boolean) {
  return z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');
}
