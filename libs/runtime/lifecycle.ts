import type { Logger } from './logger.ts';

export type Release = () => void | Promise<void>;

/**
 * What was acquired is released in reverse order. Each acquisition pushes its release at once, so that a start that
 * fails half way leaves nothing behind.
 */
export class Resources {
  readonly #releases: { name: string; release: Release }[] = [];
  readonly #logger: Logger;
  #closing: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(name: string, release: Release): void {
    this.#releases.push({ name, release });
  }

  /** Releases everything; a release that hangs is given up at the deadline, so that the others still run. */
  close(deadlineMs = 4500): Promise<void> {
    this.#closing ??= this.#releaseAll(Date.now() + deadlineMs);
    return this.#closing;
  }

  async #releaseAll(deadline: number): Promise<void> {
    for (let next = this.#releases.pop(); next; next = this.#releases.pop()) {
      const { name, release } = next;
      const left = Math.max(100, deadline - Date.now());
      try {
        const inTime = await Promise.race([
          Promise.resolve(release()).then(() => true),
          sleep(left).then(() => false),
        ]);
        if (!inTime) this.#logger.warn({ resource: name }, 'not released before the deadline');
      } catch (error) {
        this.#logger.warn({ resource: name, err: error }, 'release failed');
      }
    }
  }
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Grows to a ceiling, with a spread so that many instances do not come back at one moment. */
export function backoffMs(attempt: number, from = 250, ceiling = 5000): number {
  return Math.min(ceiling, from * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 2);
}
