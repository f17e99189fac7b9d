const retryAfterMsMax = 24 * 60 * 60_000;

export type WebhookOutcome =
  | { outcome: 'delivered'; status: number }
  | { outcome: 'retry'; reason: string; status?: number; retryAfterMs?: number }
  /** The receiver wants no more of this (410): the endpoint is to be disabled. */
  | { outcome: 'gone'; reason: string; status: number }
  /** Another attempt would end the same way. */
  | { outcome: 'refused'; reason: string };

/** Any answer but 2xx and 410 is a failure to try again, redirects and other 4xx included. */
export function outcomeOf(status: number, retryAfter: string | undefined, now: Date): WebhookOutcome {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status };
  if (status === 410) return { outcome: 'gone', status, reason: 'The receiver answered 410, Gone.' };
  const isRedirect = status >= 300 && status < 400;
  const reason = `The receiver answered ${status}${isRedirect ? '; redirects are not followed' : ''}.`;
  const retryAfterMs = retryAfterMsOf(retryAfter, now);
  return retryAfterMs === null
    ? { outcome: 'retry', status, reason }
    : { outcome: 'retry', status, reason, retryAfterMs };
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfterMsOf(text: string | undefined, now: Date): number | null {
  if (text === undefined) return null;
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1000 : dateMsOf(text) - now.getTime();
  return Number.isNaN(delayMs) ? null : Math.min(Math.max(delayMs, 0), retryAfterMsMax);
}

/** Date.parse alone reads almost anything as some date. */
function dateMsOf(text: string): number {
  return /^[A-Z][a-z]{2}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
