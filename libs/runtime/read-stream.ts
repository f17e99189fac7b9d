import type { BusContext } from './context.ts';
import { type Reader, readDirect, type StreamMessage } from './direct.ts';

const batchBytesMax = 8 * 2 ** 20;

/** What a stream holds from a sequence on, in order. Any node may answer: one that is behind has only less of it. */
export async function readBatch(
  context: Reader,
  stream: string,
  seq: number,
  batch: number,
  filter?: string,
): Promise<{ messages: StreamMessage[]; isMore: boolean }> {
  const messages = await readDirect(context, stream, {
    seq,
    batch,
    max_bytes: batchBytesMax,
    ...(filter === undefined ? {} : { next_by_subj: filter }),
  });
  return { messages, isMore: (messages.at(-1)?.pending ?? 0) > 0 };
}

/** When it was made tells a stream from another one of its name. */
export async function streamIdentity(
  context: Pick<BusContext, 'jsm'>,
  stream: string,
): Promise<{ created: string; lastSeq: number }> {
  const { created, state } = await context.jsm.streams.info(stream);
  return { created: String(created), lastSeq: state.last_seq };
}

/** While the connection was away the broker may have become another one. */
export function onReconnect({ nc }: Pick<BusContext, 'nc'>, listener: () => void): void {
  void (async () => {
    for await (const status of nc.status()) if (status.type === 'reconnect') listener();
  })();
}
