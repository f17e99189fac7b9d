import { createHash, randomUUID } from 'node:crypto';
import { AgentName, AnswerSchema, type Approver } from '@placet/events';
import { lookAlike, readApprover } from '@placet/policy';
import { parseDurationMs, Refusal } from '@placet/runtime';
import * as z from 'zod';

const Line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // Written out, because JSON Schema's readers know no classes of Unicode.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'must not contain control characters')
    // What people read must be what is there: nothing that hides or turns the text round.
    .refine((text) => !/\p{Cf}/u.test(text), 'must not contain invisible characters');
const Text = (max: number) => z.string().min(1).max(max);

/** Rules are for names: one that only looks like another would be judged as something else than people read. */
const Name = Text(200).superRefine((name, context) => {
  const trap = lookAlike(name);
  if (trap) context.addIssue({ code: 'custom', message: trap });
});

export const Approvers = z
  .array(z.string().max(260))
  .min(1)
  .max(20)
  .transform((texts, context): Approver[] =>
    texts.flatMap((text, n) => {
      const approver = readApprover(text);
      if (!('wrong' in approver)) return [approver];
      context.addIssue({ code: 'custom', message: approver.wrong, path: [n] });
      return [];
    }),
  )
  .describe('Who has to agree as well as those whom the policy asks, such as "role:manager".');

const timeoutMaxMs = 6 * 86_400_000;
const Timeout = z
  .string()
  .refine((text) => {
    const ms = parseDurationMs(text);
    return ms !== null && ms >= 1000 && ms <= timeoutMaxMs;
  }, 'must be a time from 1s to 6d, such as 15m')
  .describe('How long people may take, such as "15m". It can only shorten what the rule says.');

export const contextFields = {
  reasoning: Text(8000).optional().describe('Why the agent wants to do this; people see it.'),
  acting_agent: Name.optional().describe('The agent that acts, where several share one key.'),
  handoffs: z
    .array(Name)
    .max(20)
    .optional()
    .describe('Through whose hands it came to the agent that acts, the first one first.'),
  on_behalf_of: Line(200).optional(),
  run: Line(200).optional(),
  case: Line(200).optional().describe('Groups requests, logs and executions.'),
  tool: Name.optional(),
  server: Name.optional().describe('The MCP server of the tool.'),
  tags: z.array(Line(64)).max(32).optional(),
  priority: z.enum(['low', 'normal', 'high', 'urgent']).optional(),
  excerpt: z.array(Text(8000)).max(20).optional().describe('Part of the conversation.'),
};

export const IdempotencyKey = Line(200).describe('The same key, action and payload are the same action.');
export const Payload = z.record(z.string(), z.unknown());

export const CheckBody = z
  .strictObject({
    action_name: Name,
    payload: Payload.default({}),
    idempotency_key: IdempotencyKey.optional(),
    ...contextFields,
    policy: AgentName.optional().describe('A named policy to be held to as well.'),
    timeout: Timeout.optional(),
    approvers: Approvers.optional(),
    accepts: z
      .array(z.enum(['edits', 'choices']))
      .max(2)
      .optional()
      .describe(
        'What the caller can take beside "allowed" and "denied": a payload that people have changed, and which of the choices of a rule they took.',
      ),
    answer_schema: AnswerSchema.optional().describe(
      'What people have to answer when they approve, as a JSON Schema (see docs/approvals.md for the part of it that is understood).',
    ),
    callback_url: z
      .string()
      .min(1)
      .max(2000)
      .optional()
      .describe('Where the caller is told of the decision; only at hosts that the agent is allowed.'),
  })
  .meta({ id: 'Check' });
export type CheckBody = z.infer<typeof CheckBody>;

/** What was accepted has to fit into the last tenth of the stream. */
const resultCharsMax = 16_000;

export const ExecutionBody = z.strictObject({
  status: z.enum(['success', 'error', 'unknown']),
  error: Text(2000).optional(),
  latency_ms: z.number().nonnegative().optional(),
  result: z
    .unknown()
    .optional()
    .refine(
      (value) => value === undefined || JSON.stringify(value).length <= resultCharsMax,
      `must be at most ${resultCharsMax} characters of JSON; say where the rest is`,
    ),
});
export type ExecutionBody = z.infer<typeof ExecutionBody>;

export const LogBody = z
  .strictObject({
    action_name: Name,
    outcome: z.enum(['success', 'failure', 'unknown']).default('success'),
    summary: Text(4000).optional(),
    payload: Payload.optional(),
    idempotency_key: IdempotencyKey.optional(),
    in_reply_to: z
      .string()
      .regex(/^act_[0-9a-f]{32}$/)
      .optional()
      .describe('The action that this follows.'),
    ...contextFields,
  })
  .meta({ id: 'Log' });
export type LogBody = z.infer<typeof LogBody>;

/** Room for what people are asked with it, in a message of 1 MiB. */
const storedBytesMax = 900 * 1024;

/** A number may be longer written out than it came: what is stored has to fit as well. */
export function refuseLarge(body: object): void {
  if (Buffer.byteLength(JSON.stringify(body)) > storedBytesMax) throw new Refusal('BODY_TOO_LARGE');
}

/** The same agent and key are the same action; without a key every request is a new one. */
export function actionIdFor(kind: 'check' | 'log', agent: string, key: string | undefined): string {
  const id =
    key === undefined
      ? randomUUID().replaceAll('-', '')
      : createHash('sha256')
          .update(JSON.stringify([kind, agent, key]))
          .digest('hex')
          .slice(0, 32);
  return `act_${id}`;
}

export function timeoutMs(text: string | undefined): { timeout_ms?: number } {
  const ms = text === undefined ? null : parseDurationMs(text);
  return ms === null ? {} : { timeout_ms: ms };
}
