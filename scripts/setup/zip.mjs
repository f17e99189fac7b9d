import { inflateRawSync } from 'node:zlib';
import { SetupError } from './error.mjs';

// Record layouts: PKWARE APPNOTE 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).
const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES_MAX = 200_000_000;

/** The content of the first entry whose name matches. */
export function readZipEntry(zip, name) {
  for (const entry of entries(zip)) {
    if (name.test(entry.name)) return content(zip, entry);
  }
  throw new SetupError('the archive does not hold the program');
}

function* entries(zip) {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + END_BYTES > zip.length || zip.readUInt32LE(end) !== END_SIGNATURE) {
    throw new SetupError('the archive is not a zip file');
  }
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt32LE(at) !== CENTRAL_SIGNATURE) throw new SetupError('the archive is damaged');
    const nameBytes = zip.readUInt16LE(at + 28);
    yield {
      method: zip.readUInt16LE(at + 10),
      packedBytes: zip.readUInt32LE(at + 20),
      bytes: zip.readUInt32LE(at + 24),
      localHeader: zip.readUInt32LE(at + 42),
      name: zip.toString('utf8', at + 46, at + 46 + nameBytes),
    };
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
}

function content(zip, { method, packedBytes, bytes, localHeader }) {
  const start = localHeader + 30 + zip.readUInt16LE(localHeader + 26) + zip.readUInt16LE(localHeader + 28);
  const packed = zip.subarray(start, start + packedBytes);
  const plain = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: ENTRY_BYTES_MAX });
  if (plain.length !== bytes) throw new SetupError('the archive is damaged');
  return plain;
}
