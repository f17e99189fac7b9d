import { Refusal } from '@placet/runtime';
import type { Answer } from './answer.ts';
import type { Checks } from './checks.ts';

/** A silent stream looks dead to what stands in between. */
const aliveEveryMs = 15_000;
/** Then the caller connects again, and shows again who it is. */
const followMaxMs = 300_000;
/** Of one agent at a time: everybody's waiting has a limit that all share. */
const followedMax = 100;

const following = new Map<string, number>();

/**
 * The answer to an action, and again whenever it has changed, until it is decided. Null is a sign of life. What comes
 * live may be missed, so each sign of life is a look at the stream too.
 */
export async function* follow(
  checks: Checks,
  { agent, actionId, signal }: { agent: string; actionId: string; signal: AbortSignal },
): AsyncGenerator<Answer | null> {
  const count = following.get(agent) ?? 0;
  if (count >= followedMax) {
    throw new Refusal('RATE_LIMITED', {
      message: `An agent follows at most ${followedMax} actions at a time.`,
      retryAfterS: 5,
    });
  }
  const listener = checks.waiting.listen(actionId, 'news');
  if (!listener) throw new Refusal('UNAVAILABLE', { retryAfterS: 1 });
  following.set(agent, count + 1);
  const until = Date.now() + followMaxMs;
  const hurry = () => listener.wake('timeout');
  signal.addEventListener('abort', hurry, { once: true });
  try {
    for (let known = ''; ; ) {
      const answer = await checks.read(agent, actionId, { waitS: 0, signal });
      const text = JSON.stringify(answer);
      yield text === known ? null : answer;
      known = text;
      if (answer.decision !== 'pending') return;
      await listener.next(aliveEveryMs);
      if (signal.aborted || checks.waiting.isClosed() || Date.now() > until) return;
    }
  } finally {
    signal.removeEventListener('abort', hurry);
    listener.stop();
    following.set(agent, (following.get(agent) ?? 1) - 1);
  }
}

/** As an event of a stream of them (WHATWG HTML, section 9.2). */
export function serverSent(answer: Answer | null): string {
  return answer === null
    ? ': still here\n\n'
    : `event: ${answer.decision}\ndata: ${JSON.stringify(answer)}\n\n`;
}
