import { visible } from '@placet/text';
import type { VendorFailure } from '../failure.ts';

const limitedMs = 30_000;
const saidCharsMax = 300;

/** Null where it was taken. `said` is the beginning of the answer. */
export function failureOf(
  { status, retryAfter }: { status: number; retryAfter: string | null },
  said: string,
  now: number,
): VendorFailure | null {
  if (status >= 200 && status < 300) return null;
  const retryAfterMs = waitOf(retryAfter, now);
  if (status === 429) {
    const reason = 'PagerDuty takes no more at the moment';
    return { kind: 'limited', retryAfterMs: retryAfterMs ?? limitedMs, reason };
  }
  const reason = `PagerDuty answered ${status}${wordsOf(said)}`;
  if (status >= 500 || status === 408) return { kind: 'passing', retryAfterMs: retryAfterMs ?? 0, reason };
  return { kind: 'lasting', reason: `${reason}${adviceFor(status, said)}` };
}

function adviceFor(status: number, said: string): string {
  if (/routing.key/i.test(said) || status === 401 || status === 403)
    return '; the key is not one of an "Events API v2" integration: set PLACET_PAGERDUTY_KEYS anew';
  if (status >= 300 && status < 400) return '; PLACET_PAGERDUTY_URL leads elsewhere: set the address itself';
  if (status === 404) return '; there is no Events API v2 at PLACET_PAGERDUTY_URL';
  return '';
}

/** PagerDuty's own sentences, where the answer has some. */
function wordsOf(said: string): string {
  const errors = errorsIn(said);
  return errors.length === 0 ? '' : `: ${visible(errors.join('; ')).slice(0, saidCharsMax)}`;
}

function errorsIn(said: string): string[] {
  try {
    const { errors, message } = Object(JSON.parse(said));
    if (Array.isArray(errors) && errors.length > 0) return errors.map(String);
    return typeof message === 'string' ? [message] : [];
  } catch {
    return [];
  }
}

/** In seconds, or a date. */
function waitOf(retryAfter: string | null, now: number): number | undefined {
  if (retryAfter === null) return undefined;
  const ms = /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
