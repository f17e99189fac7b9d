import type { RawData, WebSocket } from 'ws';
import type { Answer } from './post.ts';
import { parseJson } from './server.ts';
import { isRecord } from './slack-args.ts';
import { randomId } from './slack-ids.ts';

type Pending = {
  id: string;
  payload: object;
  /** Who has it now. Nobody, if no socket was open. */
  holder: WebSocket | null;
  sentAt: number;
  timer: NodeJS.Timeout | undefined;
  done(answer: Answer): void;
  fail(error: Error): void;
};

/** What was sent over sockets and is not yet acknowledged. */
export function createEnvelopes(answerWithinMs: number, nextSocket: () => WebSocket | undefined) {
  const pending = new Map<string, Pending>();

  function send(envelope: Pending): void {
    const socket = nextSocket();
    if (!socket) return;
    envelope.holder = socket;
    envelope.sentAt = performance.now();
    envelope.timer = setTimeout(() => {
      pending.delete(envelope.id);
      envelope.fail(
        new Error(`the envelope ${envelope.id} was not acknowledged within ${answerWithinMs} ms`),
      );
    }, answerWithinMs);
    const { id, payload } = envelope;
    const isSubmission = 'type' in payload && payload.type === 'view_submission';
    say(socket, {
      envelope_id: id,
      type: 'interactive',
      payload,
      accepts_response_payload: isSubmission,
    });
  }

  return {
    /** The same envelope, as often as it is sent. */
    envelope(payload: object): () => Promise<Answer> {
      const id = randomId();
      return () =>
        new Promise((done, fail) => {
          const envelope = { id, payload, holder: null, sentAt: 0, timer: undefined, done, fail };
          pending.set(id, envelope);
          send(envelope);
        });
    },
    acknowledge(data: RawData): void {
      const message = parseJson(data.toString());
      if (!isRecord(message)) return;
      const envelope = pending.get(`${message['envelope_id']}`);
      if (!envelope) return;
      pending.delete(envelope.id);
      clearTimeout(envelope.timer);
      const tookMs = performance.now() - envelope.sentAt;
      envelope.done({ status: 200, body: message['payload'] ?? '', tookMs });
    },
    /** What nobody holds goes to who is there now. */
    sendWaiting(): void {
      for (const envelope of pending.values()) if (envelope.holder === null) send(envelope);
    },
    /** What it has not acknowledged goes to another one, or waits for the next. */
    takeFrom(socket: WebSocket): void {
      for (const envelope of pending.values()) {
        if (envelope.holder !== socket) continue;
        clearTimeout(envelope.timer);
        envelope.holder = null;
        send(envelope);
      }
    },
    close(): void {
      for (const { timer, fail } of pending.values()) {
        clearTimeout(timer);
        fail(new Error('the fake Slack was closed before the app acknowledged'));
      }
      pending.clear();
    },
  };
}

export function say(socket: WebSocket, message: object): void {
  socket.send(JSON.stringify(message));
}
