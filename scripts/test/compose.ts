import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const root = join(import.meta.dirname, '../..');

/** A file at one place in a container. */
type Mount = { source: string; target: string };
export type ComposeService = {
  image: string;
  user?: string;
  command?: string[];
  environment?: Record<string, string>;
  secrets?: (string | Mount)[];
  configs?: Mount[];
  profiles?: string[];
  restart?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
  logging?: object;
  healthcheck?: { test?: string[]; disable?: boolean };
  build?: { dockerfile: string };
  ports?: string[];
  depends_on?: Record<string, { condition: string; required?: boolean }>;
};
export type Compose = {
  services: Record<string, ComposeService>;
  secrets: Record<string, { file: string }>;
  configs: Record<string, { file: string }>;
};

/** docker-compose.yml as Compose reads it with these variables. */
export function readCompose(variables: Record<string, string>): Compose {
  const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  // It is our own file, and its aliases are many.
  return interpolate(parse(text, { merge: true, maxAliasCount: -1 }), variables) as Compose;
}

export function readEnvFile(path: string): Record<string, string> {
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  return Object.fromEntries(
    lines
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
  );
}

/** Where a secret lies in the container. */
export const secretMounts = ({ secrets = [] }: ComposeService): Mount[] =>
  secrets.map((secret) =>
    typeof secret === 'string' ? { source: secret, target: `/run/secrets/${secret}` } : secret,
  );

/** `${NAME:-default}` and `${NAME:?message}`, which are the two that we use. Any other is refused. */
function interpolate(value: unknown, variables: Record<string, string>): unknown {
  if (typeof value === 'string') return interpolateText(value, variables);
  if (Array.isArray(value)) return value.map((member) => interpolate(member, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, interpolate(of, variables)]));
}

function interpolateText(text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$(\{(\w+)(:[-?])([^}]*)\})?/g, (found, whole, name, operator, rest) => {
    if (whole === undefined) throw new Error(`"${found}" in "${text}" is not \${NAME:-default}`);
    if (variables[name]) return variables[name];
    if (operator === ':?') throw new Error(`${name}: ${rest}`);
    return rest;
  });
}
