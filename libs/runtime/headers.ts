import type { Msg, MsgHdrs } from '@nats-io/transport-node';

/**
 * A header to send. The client builds one by comparing each name with all that are there, which costs as much as a
 * handler; of what it is given it asks for the bytes alone.
 */
export function headerOf(fields: Record<string, string | undefined>): MsgHdrs {
  let text = 'NATS/1.0\r\n';
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (/[\r\n]/.test(value)) throw new TypeError(`The header ${name} cannot hold a line break.`);
    text += `${name}: ${value}\r\n`;
  }
  const bytes = Buffer.from(`${text}\r\n`);
  return { encode: () => bytes } as unknown as MsgHdrs;
}

/** Where the client keeps what it has received. */
type Received = { _rdata?: Uint8Array; _msg?: { hdr?: number } };

/**
 * The header of a message as it came. The client makes a map of it first, for each message and all its fields; it is
 * asked where a version of it keeps the bytes elsewhere.
 */
export function headerText(message: Msg): string {
  const { _rdata: bytes, _msg } = message as unknown as Received;
  const length = _msg?.hdr;
  if (bytes === undefined || length === undefined) return String(message.headers ?? '');
  if (length <= 0) return '';
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('utf8');
  return text.startsWith('NATS/1.0') && text.endsWith('\r\n\r\n') ? text : String(message.headers ?? '');
}

/** The first field of this name, as whoever sent the message wrote it. */
export function firstField(header: string, name: string): string | undefined {
  return fieldAt(header, name, header.indexOf(`\r\n${name}:`));
}

/** The last one: what the broker adds comes behind whatever the sender wrote under its names. */
export function lastField(header: string, name: string): string | undefined {
  return fieldAt(header, name, header.lastIndexOf(`\r\n${name}:`));
}

function fieldAt(header: string, name: string, at: number): string | undefined {
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  const end = header.indexOf('\r\n', start);
  return header.slice(start, end < 0 ? undefined : end).trim() || undefined;
}
