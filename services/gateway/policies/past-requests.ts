import { ActionRequested } from '@placet/events';
import { type PastRequest, requestFacts } from '@placet/policy';
import type { AuditRecord } from './judge.ts';

/** A request as the record has it; null where it is none that Placet wrote, as far as can be told. */
export function readRequest({ body, flaw }: AuditRecord): PastRequest | null {
  if (flaw !== null) return null;
  try {
    const event = JSON.parse(body) as { time: string; data: unknown };
    const parsed = ActionRequested.safeParse(event.data);
    const now = new Date(event.time);
    if (!parsed.success || Number.isNaN(now.getTime())) return null;
    return { id: parsed.data.action_id, facts: requestFacts(parsed.data, now), policy: parsed.data.policy };
  } catch {
    return null;
  }
}
