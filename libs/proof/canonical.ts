import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** The RFC 8785 form. Throws on what JSON cannot carry: NaN, Infinity, lone surrogates, cycles, undefined. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('This value has no JSON form, so it has no canonical one.');
  return text;
}

export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

export function digestOf(value: unknown): string {
  return `sha256:${sha256Hex(canonicalJson(value))}`;
}

/** The digest of a text as it stands, such as a policy. */
export function digestOfText(text: string): string {
  return `sha256:${sha256Hex(text)}`;
}
