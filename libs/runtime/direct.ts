import { createInbox, type Msg } from '@nats-io/transport-node';
import { inboxPrefix } from '@placet/events';
import { type BusContext, sealHeader } from './context.ts';
import { Unavailable } from './errors.ts';
import { firstField, headerText, lastField } from './headers.ts';

/** A message as a stream holds it; `pending` are those behind it. */
export type StreamMessage = {
  seq: number;
  subject: string;
  data: Uint8Array;
  time: Date;
  seal: string | undefined;
  pending: number;
};

export type DirectQuery =
  | { seq: number; batch: number; max_bytes: number; next_by_subj?: string }
  | { multi_last: string[] };

/** Whose inbox the answer comes to: the user's own. */
export type Reader = Pick<BusContext, 'nc' | 'js'> & { service: string };

/** How long the broker may be silent in the middle of an answer. */
const silentMaxMs = 5000;

/**
 * A direct get of several messages; one that finds nothing is empty. The client can do it too, but where two services
 * read each event, what it makes of their headers costs more than anything else that is done with them.
 */
export function readDirect(
  { nc, js, service }: Reader,
  stream: string,
  query: DirectQuery,
): Promise<StreamMessage[]> {
  const inbox = createInbox(inboxPrefix(service));
  return new Promise((resolve, reject) => {
    const messages: StreamMessage[] = [];
    const subscription = nc.subscribe(inbox, {
      callback: (error, message) => {
        timer.refresh();
        if (error) return end(error);
        const header = headerText(message);
        const seq = lastField(header, 'Nats-Sequence');
        const from = seq === undefined ? stream : lastField(header, 'Nats-Stream');
        // Whoever reached the broker's API can have a stream of his own answer for ours.
        if (from !== stream) return end(new Unavailable(`the stream ${from} answered for ${stream}`));
        if (seq !== undefined) messages.push(streamMessage(message, header, Number(seq)));
        else end(problemOf(header));
      },
    });
    const end = (error?: Error) => {
      clearTimeout(timer);
      subscription.unsubscribe();
      if (error) reject(error);
      else resolve(messages);
    };
    const timer = setTimeout(() => end(new Unavailable('a stream does not answer')), silentMaxMs);
    try {
      nc.publish(`${js.apiPrefix}.DIRECT.GET.${stream}`, JSON.stringify(query), { reply: inbox });
    } catch (error) {
      end(error as Error);
    }
  });
}

function streamMessage(message: Msg, header: string, seq: number): StreamMessage {
  return {
    seq,
    subject: lastField(header, 'Nats-Subject') ?? '',
    data: message.data,
    time: new Date(lastField(header, 'Nats-Time-Stamp') ?? Number.NaN),
    seal: firstField(header, sealHeader),
    pending: Number(lastField(header, 'Nats-Num-Pending') ?? 0),
  };
}

/** 204 is the end of an answer, and 404 that there is nothing. */
function problemOf(header: string): Error | undefined {
  const [, status = 'nothing'] = /^NATS\/1\.0 +([^\r\n]*)/.exec(header) ?? [];
  if (status.startsWith('204') || status.startsWith('404')) return undefined;
  return new Unavailable(`a stream answered ${status}`);
}
