import type { ServerResponse } from 'node:http';

/**
 * `hang` never answers; `hang up` cuts the connection before anything is done; `answer lost` does what was
 * asked and cuts then. Any other text is an error in the vendor's own words.
 */
export type Failure = string | { status: number; retryAfter?: number };

export type Failures = ReturnType<typeof createFailures>;

/** What the next calls of a name are to meet, in the order in which it was said. */
export function createFailures() {
  const planned: { of: string; failure: Failure }[] = [];
  return {
    failNext(of: string, failure: Failure, times = 1): void {
      for (let n = 0; n < times; n++) planned.push({ of, failure });
    },
    take(of: string): Failure | undefined {
      const index = planned.findIndex((plan) => plan.of === of);
      return index < 0 ? undefined : planned.splice(index, 1)[0]?.failure;
    },
  };
}

export function takesEffect(failure: Failure | undefined): boolean {
  return failure === undefined || failure === 'answer lost';
}

export function vendorError(failure: Failure | undefined): string | undefined {
  if (typeof failure !== 'string' || ['hang', 'hang up', 'answer lost'].includes(failure)) return undefined;
  return failure;
}

/** Plays what any vendor's network does. False says that the vendor itself has to answer. */
export function playFailure(failure: Failure | undefined, response: ServerResponse): boolean {
  if (failure === undefined || vendorError(failure) !== undefined) return false;
  if (typeof failure === 'object') {
    const { status, retryAfter } = failure;
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` });
    response.end(`the vendor says ${status}`);
  } else if (failure !== 'hang') {
    response.destroy();
  }
  return true;
}
