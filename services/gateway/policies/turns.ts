import { Refusal } from '@placet/runtime';

const waitingMax = 20;

/** One piece of work after another, in the order in which they came. */
export function createTurns() {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting >= waitingMax) {
      const message = 'Too many others are at this. Try again.';
      throw new Refusal('RATE_LIMITED', { message, retryAfterS: 5 });
    }
    waiting += 1;
    const turn = last.then(work, work);
    last = turn;
    try {
      return await turn;
    } finally {
      waiting -= 1;
    }
  };
}
