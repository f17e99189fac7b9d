import type { Severity } from '@placet/events';
import { approvalUrl } from '@placet/runtime';
import { argumentsOf, harmless, unlinked } from '@placet/text';
import type * as z from 'zod';
import { argumentNotes, behindIt, progressText, regarding, ruleText } from '../../text/approval.ts';
import { oneLine, quoted } from '../../text/quoted.ts';
import type { Told } from '../../told.ts';

/** An event of PagerDuty's Events API v2; the key of the service is put to it when it is sent. */
export type PagerDutyEvent = {
  event_action: 'trigger' | 'resolve';
  dedup_key: string;
  payload?: {
    summary: string;
    source: string;
    severity: z.infer<typeof Severity>;
    timestamp?: string;
    component?: string;
    group?: string;
    class?: string;
    custom_details?: Record<string, unknown>;
  };
  client?: string;
  client_url?: string;
  links?: { href: string; text: string }[];
};

/** PagerDuty takes 1,024. */
const summaryCharsMax = 1000;
const textCharsMax = 4000;
/** Far from the 512 KB that it takes: it is read on a telephone. */
const argumentsRoom = { lines: 100, chars: 20_000 };

/** An approval is one incident, however often it is told. */
const dedupKeyOf = ({ actionId }: Told) => actionId;

export function triggerOf(told: Told, publicUrl: string | undefined): PagerDutyEvent {
  const { needed, actionId } = told;
  const page = publicUrl === undefined ? undefined : approvalUrl(publicUrl, actionId);
  const changed = needed.revision > 1 ? ' (changed)' : '';
  const summary = `${needed.agent}: ${needed.action_name}${changed} waits for a decision. ${needed.reason}`;
  return {
    event_action: 'trigger',
    dedup_key: dedupKeyOf(told),
    payload: {
      summary: safe(oneLine(summary), summaryCharsMax),
      source: needed.agent,
      severity: needed.severity ?? (needed.priority === 'urgent' ? 'critical' : 'error'),
      timestamp: needed.requested_at,
      component: safe(oneLine(needed.action_name)),
      group: needed.agent,
      class: 'approval',
      custom_details: detailsOf(told),
    },
    client: 'Placet',
    ...(page === undefined ? {} : { client_url: page, links: [{ href: page, text: 'Review and decide' }] }),
  };
}

export function resolveOf(told: Told): PagerDutyEvent {
  return { event_action: 'resolve', dedup_key: dedupKeyOf(told) };
}

/** Of no approval: the least that PagerDuty shows. It is resolved at once. */
export function testEvents(id: string, text: string): PagerDutyEvent[] {
  const dedup_key = `placet-test-${id}`;
  const payload = { summary: text, source: 'placet', severity: 'info' as const };
  return [
    { event_action: 'trigger', dedup_key, payload, client: 'Placet' },
    { event_action: 'resolve', dedup_key },
  ];
}

function detailsOf(told: Told): Record<string, unknown> {
  const { needed, actionId } = told;
  const { lines, left } = argumentsOf(needed.payload, argumentsRoom);
  const who = behindIt(needed);
  return {
    agent: needed.agent,
    ...(who === null ? {} : { who: safe(who) }),
    action: safe(oneLine(needed.action_name)),
    ...Object.fromEntries(regarding(needed).map(([name, text]) => [name.toLowerCase(), safe(text)])),
    ...(needed.reasoning === undefined ? {} : { reasoning: safe(quoted(needed.reasoning, textCharsMax)) }),
    reason: safe(ruleText(needed)),
    asked: safe(progressText(told)),
    deadline: needed.deadline,
    arguments: lines.length === 0 ? 'none' : lines.map(unlinked),
    ...(left > 0 ? { not_shown: `${left} more arguments. All of them: GET /v1/approvals/${actionId}` } : {}),
    notes: argumentNotes(needed).map((text) => safe(text)),
    how_to_decide: 'On its page, or where else it stands. To acknowledge an incident decides nothing.',
  };
}

const safe = (text: string, charsMax = textCharsMax) => harmless(text, charsMax);
