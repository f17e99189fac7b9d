/** What was asked of a check, as its caller sent it. */
export type CheckRequest = {
  action_name: string;
  payload: Record<string, unknown>;
  idempotency_key?: string;
};

/** What an answer says, as far as the rules look at it. */
export type Body = {
  action_id?: string;
  decision?: string;
  approval?: { deadline: string };
  payload_digest?: string;
  valid_until?: string;
  proof?: string;
  /** The code of a refusal. */
  error?: string;
  details?: { decision?: string; action_id?: string };
};

/** An answer, or how it got lost: whether the question had its effect is then not known. */
export type Told = { status: number; body: Body } | { lost: string };

export type Asked =
  | { kind: 'check'; request: CheckRequest }
  | { kind: 'answer'; action: string }
  | { kind: 'withdrawal'; action: string }
  | { kind: 'execution'; action: string }
  | { kind: 'vote'; action: string; vote: 'approve' | 'reject' }
  | { kind: 'approvals' }
  | { kind: 'log' };

/** One question as whoever asked remembers it. `by` is an agent's name or a person's email. */
export type Note = {
  by: string;
  gateway: string;
  sentAt: number;
  toldAt: number;
  asked: Asked;
  told: Told;
};

export function isLost(told: Told): told is { lost: string } {
  return 'lost' in told;
}

export function statusOf({ told }: Note): number | null {
  return isLost(told) ? null : told.status;
}

/** What was said, where it was a success. */
export function successOf({ told }: Note): Body | null {
  return !isLost(told) && told.status < 300 ? told.body : null;
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

function knownDecision(decision: string | undefined): 'allowed' | 'denied' | null {
  // What has expired was allowed.
  if (decision === 'expired') return 'allowed';
  return decision === 'allowed' || decision === 'denied' ? decision : null;
}
