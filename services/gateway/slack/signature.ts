import { createHmac, timingSafeEqual } from 'node:crypto';

const ageMaxS = 300;

type SlackRequest = {
  timestamp: string | undefined;
  signature: string | undefined;
  body: Buffer;
};

/** Whether Slack has sent this, and now: a request that somebody kept is worth nothing later. */
export function isFromSlack(
  secret: string,
  { timestamp = '', signature = '', body }: SlackRequest,
  now: Date,
): boolean {
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > ageMaxS) return false;
  const expected = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`;
  const [one, other] = [Buffer.from(expected), Buffer.from(signature)];
  return one.length === other.length && timingSafeEqual(one, other);
}
