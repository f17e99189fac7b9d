const delaysMs = [1000, 5000, 15_000, 60_000, 300_000];
/** What stands somewhere asks people while its vendor is away, so that it is tried for half a day. */
const laterMs = 900_000;
const attemptsMax = 50;

/** How long to wait after so many failed attempts; null is to give up. */
export function retryDelayMs(attempts: number): number | null {
  return attempts >= attemptsMax ? null : (delaysMs[attempts - 1] ?? laterMs);
}
