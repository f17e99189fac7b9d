import type { Payload } from './world.ts';

/** What was asked of a check, as its caller sent it. */
export type CheckRequest = {
  action_name: string;
  payload: Payload;
  idempotency_key?: string;
  accepts?: readonly string[];
};

/** What an answer says, as far as the rules look at it. */
export type Body = {
  action_id?: string;
  decision?: string | null;
  approval?: { deadline: string };
  payload?: Payload;
  payload_digest?: string;
  revision?: number;
  valid_until?: string;
  proof?: string;
  /** The code of a refusal. */
  error?: string;
  details?: { decision?: string; action_id?: string; payload_digest?: string };
};

/** An answer, or how it got lost: whether the question had its effect is then not known. */
export type Told = { status: number; body: Body } | { lost: string };

/** What an agent asks. */
type ByAgent =
  | { kind: 'check'; request: CheckRequest }
  | { kind: 'answer'; action: string }
  | { kind: 'withdrawal'; action: string }
  | { kind: 'execution'; action: string }
  | { kind: 'log' };

/** What a person asks. A digest is that of the payload that was seen. */
type ByPerson =
  | { kind: 'vote'; action: string; vote: 'approve' | 'reject'; digest?: string }
  | { kind: 'edit'; action: string; changes: Record<string, unknown>; digest: string }
  | { kind: 'reassignment'; action: string; to: readonly string[] }
  | { kind: 'comment'; action: string; comment: string }
  | { kind: 'approval'; action: string }
  | { kind: 'approvals' };

export type Asked = ByAgent | ByPerson;
type AskedAs<K extends Asked['kind']> = Extract<Asked, { kind: K }>;

/** One question as whoever asked remembers it. `by` is an agent's name or a person's email. */
export type Note = {
  by: string;
  gateway: string;
  sentAt: number;
  toldAt: number;
  asked: Asked;
  told: Told;
};
export type NoteOf<K extends Asked['kind']> = Note & { asked: AskedAs<K> };

export function isAbout<K extends Asked['kind']>(note: Note, ...kinds: K[]): note is NoteOf<K> {
  return kinds.some((kind) => kind === note.asked.kind);
}

/** What is told to whoever may act upon "allowed". */
export const isAnswerToAgent = (note: Note) => isAbout(note, 'check', 'answer', 'withdrawal', 'execution');

export function isLost(told: Told): told is { lost: string } {
  return 'lost' in told;
}

/** Whether the question could have had its effect: told so, or told nothing that denies it. */
export function mayHaveHappened({ told }: Note): boolean {
  return isLost(told) || told.status < 300 || told.status >= 500;
}

export function statusOf({ told }: Note): number | null {
  return isLost(told) ? null : told.status;
}

/** What was said, where it was a success. */
export function successOf({ told }: Note): Body | null {
  return !isLost(told) && told.status < 300 ? told.body : null;
}

/** The code with which it was refused for good; null where it was not, or where asking again is the thing to do. */
export function refusalOf({ told }: Note): string | null {
  return !isLost(told) && told.status >= 300 && told.status < 500 ? (told.body.error ?? '') : null;
}

/** The action that a note is about, where its asker knew it or was told. */
export function actionOf(note: Note): string | null {
  if ('action' in note.asked) return note.asked.action;
  return successOf(note)?.action_id ?? null;
}

/** The decision that somebody was told by whatever way, in the words of the stream; null where none was named. */
export function decisionTold(note: Note): 'allowed' | 'denied' | null {
  if (isLost(note.told)) return null;
  const { body, status } = note.told;
  if (body.error === 'ALREADY_DECIDED') return knownDecision(body.details?.decision);
  if (body.error === 'ALREADY_USED' || body.error === 'DECISION_EXPIRED') return 'allowed';
  return status < 300 ? knownDecision(body.decision) : null;
}

function knownDecision(decision: string | null | undefined): 'allowed' | 'denied' | null {
  // What has expired was allowed.
  if (decision === 'expired') return 'allowed';
  return decision === 'allowed' || decision === 'denied' ? decision : null;
}
