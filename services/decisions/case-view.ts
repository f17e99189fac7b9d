import { approverText, type CaseEntry, type EarlierDecision, type PlacetEvent } from '@placet/events';
import type * as z from 'zod';
import type { ActionRecord } from './store.ts';
import { decidedIn } from './views.ts';

/** Of one action the last; and of what somebody said the beginning. An answer travels in one message. */
const entriesMax = 40;
const wordsMax = 300;

/** So many earlier decisions are shown. */
export const earlierMax = 10;

/** What happened in a case, in the order of time. */
export function timelineOf(records: ActionRecord[]): CaseEntry[] {
  return records
    .flatMap((record) => {
      const action_name = nameOf(record);
      return record.events.slice(-entriesMax).flatMap(({ event }) => {
        const told = toldOf(event);
        if (!told) return [];
        const { actionId: action_id, agent } = record;
        return [{ at: event.time, type: event.type, action_id, agent, action_name, ...told }];
      });
    })
    .toSorted((one, other) => one.at.localeCompare(other.at));
}

/** The latest decisions, newest first. */
export function earlierIn(records: ActionRecord[], besides: string): z.infer<typeof EarlierDecision>[] {
  return [...new Map(records.map((record) => [record.actionId, record])).values()]
    .flatMap((record) => {
      const decided = record.actionId === besides ? null : decidedIn(record);
      if (!decided) return [];
      const { action_id, action_name, decision, reason, deciders } = decided.data;
      return [{ action_id, action_name, decision, reason, decided_by: deciders, decided_at: decided.time }];
    })
    .toSorted((one, other) => other.decided_at.localeCompare(one.decided_at))
    .slice(0, earlierMax);
}

function nameOf({ events }: ActionRecord): string {
  const named = events.find(({ event }) => 'action_name' in event.data)?.event.data;
  return named && 'action_name' in named ? named.action_name : '';
}

type Told = Pick<CaseEntry, 'by' | 'what'>;

/** Who did what, in words; null of what nobody needs to read. */
function toldOf(event: PlacetEvent): Told | null {
  switch (event.type) {
    case 'action.requested': {
      const { agent, acting_agent, reasoning } = event.data;
      return { by: `agent:${acting_agent ?? agent}`, what: withWords('asked', reasoning) };
    }
    case 'approval.needed':
      return { by: 'policy', what: `held: ${event.data.reason}` };
    case 'approval.voted': {
      const { voter, vote, choice, comment } = event.data;
      const said = choice === undefined ? (vote === 'approve' ? 'approved' : 'rejected') : `chose ${choice}`;
      return { by: voter.email, what: withWords(said, comment) };
    }
    case 'approval.edited': {
      const { editor, changes, comment } = event.data;
      const paths = changes.map(({ path }) => path).join(', ');
      return { by: editor.email, what: withWords(`changed ${paths}`, comment) };
    }
    case 'approval.reminded':
      return { by: null, what: 'reminded those who are asked' };
    case 'approval.escalated':
      return {
        by: null,
        what: `asked ${event.data.approvers.map(approverText).join(', ')}${event.data.replace ? ' instead' : ''}`,
      };
    case 'approval.reassigned': {
      const { by, approvers, comment } = event.data;
      return {
        by: by.email,
        what: withWords(`handed on to ${approvers.map(approverText).join(', ')}`, comment),
      };
    }
    case 'approval.commented':
      return { by: event.data.by.email, what: brief(event.data.comment) };
    case 'action.decided': {
      const { decision, deciders, reason } = event.data;
      return { by: deciders.join(', '), what: `${decision}: ${reason}` };
    }
    case 'action.executed': {
      const { agent, status, error } = event.data;
      return { by: `agent:${agent}`, what: withWords(`ran it: ${status}`, error) };
    }
    case 'action.logged': {
      const { agent, acting_agent, outcome, summary } = event.data;
      return { by: `agent:${acting_agent ?? agent}`, what: withWords(`logged: ${outcome}`, summary) };
    }
    default:
      return null;
  }
}

function withWords(what: string, words: string | undefined): string {
  return words === undefined ? what : brief(`${what}: ${words}`);
}

function brief(text: string): string {
  return text.length <= wordsMax ? text : `${text.slice(0, wordsMax)}…`;
}
