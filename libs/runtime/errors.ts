/** Every error that a caller can see: its stable code, its status, and in words what to do next. */
export const errorTable = {
  NOT_JSON: { status: 400, message: 'The body is not JSON.' },
  MISSING_TOKEN: {
    status: 401,
    message: 'Send the header "Authorization: Bearer <key>" with an agent\'s key or a person\'s token.',
  },
  INVALID_API_KEY: {
    status: 401,
    message: 'This key is unknown, revoked or expired. An administrator can make a new one.',
  },
  WRONG_CREDENTIAL: { status: 403, message: 'This kind of credential does not open this route.' },
  FORBIDDEN: { status: 403, message: 'You have not the role that this needs.' },
  CALLBACK_REFUSED: {
    status: 403,
    message: 'This agent may not be called back there. An administrator can allow it.',
  },
  NOT_ELIGIBLE: { status: 403, message: 'You are not among the approvers of this action.' },
  NOT_FOUND: { status: 404, message: 'There is no such thing here.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'This path is not asked for by this method. See the header Allow.',
  },
  ACTION_NOT_FOUND: { status: 404, message: 'This agent has no action with this id.' },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    message: 'This idempotency key was used for another action or payload. Use a new key.',
  },
  DECISION_EXPIRED: {
    status: 409,
    message: 'The permission given under this key has expired. Ask again under a new key.',
  },
  ALREADY_USED: {
    status: 409,
    message: 'The permission given under this key was used. Ask again under a new key.',
  },
  ALREADY_DECIDED: {
    status: 409,
    message:
      'The action was decided before. What, why, by whom and when: decision, reason, decided_by and decided_at in details.',
  },
  NOT_DECIDED: { status: 409, message: 'The action is not decided yet.' },
  NOT_ALLOWED: { status: 409, message: 'The action was not allowed.' },
  REASON_REQUIRED: { status: 422, message: 'The policy wants a reason with this vote. Send it as comment.' },
  WRONG_CHANNEL: {
    status: 403,
    message: 'The policy wants this to be decided somewhere else: see only_in of the approval.',
  },
  CHOICE_REQUIRED: {
    status: 422,
    message: 'This approval is decided by a choice. Send one of those in details as choice, instead of vote.',
  },
  ANSWER_REQUIRED: {
    status: 422,
    message: 'The agent asks a question: an approval needs an answer that fits answer_schema. See details.',
  },
  NOT_EDITABLE: { status: 422, message: 'The policy does not let this be changed. See details.' },
  EDITS_NOT_ACCEPTED: {
    status: 409,
    message: 'The agent that asks did not say that it accepts edits, so the payload stays as it is.',
  },
  BEING_JUDGED: {
    status: 409,
    message: 'Somebody has changed the payload, and the policy judges it now. Read it again in a moment.',
  },
  TOO_MANY_STEPS: {
    status: 409,
    message:
      'This approval has as many votes and changes as it can take. Its deadline, or an administrator, ends it.',
  },
  STALE_PAYLOAD: { status: 409, message: 'The payload has changed since you saw it. Read it again.' },
  REVISION_CONFLICT: { status: 409, message: 'Somebody changed this meanwhile. Read it again.' },
  POLICY_FROM_FILE: { status: 409, message: 'This policy comes from a file. Change the file.' },
  IN_USE: { status: 409, message: 'Something else needs this. Change that first.' },
  ALREADY_EXISTS: { status: 409, message: 'This name is taken.' },
  INVALID_SIGNATURE: {
    status: 401,
    message: 'The signature does not fit the body, or the request is older than 5 minutes.',
  },
  BODY_TOO_LARGE: { status: 413, message: 'The body is larger than 256 KB.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'Send the body with this content type: application/json.' },
  VALIDATION_ERROR: { status: 422, message: 'The request does not fit.' },
  POLICY_REFUSED: { status: 422, message: 'The policy was refused; the running one stays.' },
  RATE_LIMITED: { status: 429, message: 'Too many requests. Wait as long as Retry-After says.' },
  INTERNAL: { status: 500, message: 'Placet failed. The log has the request id.' },
  MASTER_KEY_MISSING: {
    status: 501,
    message:
      'Secrets cannot be kept here yet: set PLACET_MASTER_KEY (32 random bytes in base64url) for the gateway and the notifier.',
  },
  UNAVAILABLE: { status: 503, message: 'A part of Placet cannot be reached now. Try again.' },
  STORE_FULL: {
    status: 503,
    message:
      'The stream of events is almost full, so no new request is taken. What was accepted is still decided.',
  },
} as const;
export type ErrorCode = keyof typeof errorTable;

export type Detail = { path: string; message: string };

/** An answer to a caller that is not a fault of Placet's. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: Detail[] | Record<string, unknown> | undefined;
  readonly retryAfterS: number | undefined;

  constructor(
    code: ErrorCode,
    more: {
      message?: string;
      details?: Detail[] | Record<string, unknown>;
      retryAfterS?: number;
      cause?: unknown;
    } = {},
  ) {
    super(more.message ?? errorTable[code].message, { cause: more.cause });
    this.code = code;
    this.details = more.details;
    this.retryAfterS = more.retryAfterS;
  }
}

/** The broker or another service did not answer; whether something was stored is not known. */
export class Unavailable extends Error {}

/** The stream is at its cap. */
export class StoreFull extends Error {}
