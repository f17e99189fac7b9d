import type { BatchCallback, StoredMsg } from '@nats-io/jetstream';

/**
 * Collects the answer to a direct get of several messages; one that finds nothing is empty. The client ends an answer
 * that does not come, or breaks off, after 5 s. Asked for an iterator instead of a callback, it would keep the
 * subscription of each answer until then.
 */
export function collectDirect(
  ask: (callback: BatchCallback<StoredMsg>) => Promise<unknown>,
): Promise<StoredMsg[]> {
  return new Promise((resolve, reject) => {
    const found: StoredMsg[] = [];
    ask((done, message) => {
      if (!done) found.push(message);
      else if (done.err && !isNotFound(done.err)) reject(done.err);
      else resolve(found);
    }).catch(reject);
  });
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 404;
}
