import * as z from 'zod';
import { PolicyReference } from './action-events.ts';
import { Accepts, Change, Choice, Severity, Vote, VoteChannel } from './approval-events.ts';

export const EarlierDecision = z.object({
  action_id: z.string(),
  action_name: z.string(),
  decision: z.enum(['allowed', 'denied']),
  reason: z.string(),
  decided_by: z.array(z.string()),
  decided_at: z.string(),
});

/** An approval as people see it. Its id is its action's. */
export const ApprovalView = z
  .object({
    id: z.string(),
    status: z.enum(['pending', 'decided']),
    decision: z.enum(['allowed', 'denied']).nullable(),
    action_name: z.string(),
    agent: z.string(),
    owner: z.string(),
    payload: z.unknown(),
    payload_digest: z.string(),
    reason: z.string().describe('Why it is held.'),
    rule: z.string().nullable(),
    scope: z.string().nullable().describe('Whose rule, or default, holds it; null: no policy covers it.'),
    policies: z.array(PolicyReference).describe('Each text that it was judged by.'),
    redacted: z.array(z.string()).describe('Parts of the payload that are hidden here.'),
    approvers: z.array(z.string()),
    demands: z
      .array(
        z.object({
          approvers: z.array(z.string()),
          quorum: z.number(),
          met: z.number(),
          ways: z
            .array(z.array(z.array(z.string())))
            .optional()
            .describe(
              'Where not any of them will do: lists of places, each for another of the people named in it.',
            ),
          reject: z
            .enum(['any', 'majority'])
            .describe('Whether one rejection ends it, or that of more than half.'),
          separate: z
            .boolean()
            .describe(
              'Whether the owner of the agent, on whose behalf it asks, and who has changed the payload, may not vote.',
            ),
        }),
      )
      .describe('What each layer of the policy asks for; all of it has to be met.'),
    requested_at: z.string(),
    deadline: z.string(),
    on_timeout: z.enum(['deny', 'allow']).describe('What becomes of it when nobody decides in time.'),
    require_reason: z
      .enum(['never', 'on_reject', 'always'])
      .describe('When a vote needs a comment that says why.'),
    only_in: z.array(VoteChannel).nullable().describe('Where people may decide it; null: anywhere.'),
    severity: Severity.nullable().describe('How loud it is where people are paged.'),
    revision: z.number().describe('Of the payload: one more for each change by a person.'),
    edits: z.array(
      z.object({ by: z.string(), at: z.string(), comment: z.string().optional(), changes: z.array(Change) }),
    ),
    editable: z.array(z.string()).describe('Parts of the payload that may be changed.'),
    choices: z.array(Choice).describe('What to choose among, instead of approving or rejecting.'),
    answer_schema: z.unknown().describe('What an approval has to answer, where the agent asks a question.'),
    accepts: Accepts,
    votes: z.array(
      z.object({
        by: z.string(),
        vote: Vote,
        choice: z.string().optional(),
        answer: z.unknown().optional(),
        comment: z.string().optional(),
        at: z.string(),
        revision: z.number(),
        counts: z
          .boolean()
          .describe(
            'Not where the same person voted later, the payload was changed, or the place was handed on.',
          ),
      }),
    ),
    comments: z.array(z.object({ by: z.string(), comment: z.string(), at: z.string() })),
    handed: z
      .array(
        z.object({ by: z.string(), to: z.array(z.string()), comment: z.string().optional(), at: z.string() }),
      )
      .describe('Places that approvers have handed to others.'),
    steps: z
      .array(
        z.object({
          kind: z.enum(['remind', 'escalate']),
          at: z.string(),
          done_at: z.string().nullable(),
          to: z.array(z.string()).optional(),
          replace: z.boolean().optional().describe('They are asked instead of those who were.'),
        }),
      )
      .describe('Reminders and escalations, those that were and those to come.'),
    may_vote: z.boolean().describe('Whether you may, as it is now.'),
    inform: z.array(z.string()),
    decided_at: z.string().nullable(),
    decided_by: z.array(z.string()),
    decision_reason: z.string().nullable(),
    choice: z.string().nullable(),
    answer: z.unknown(),
    context: z
      .record(z.string(), z.unknown())
      .describe('What the agent told: reasoning, case, tool and the like.'),
    earlier: z
      .array(EarlierDecision)
      .optional()
      .describe(
        'The latest decisions on the same case, and of people on the same wish of the same agent; where one approval is asked for.',
      ),
  })
  .meta({ id: 'Approval' });
export type ApprovalView = z.infer<typeof ApprovalView>;
/** One thing that happened in a case. Payloads are not among it: who may see them is said of each approval. */
export const CaseEntry = z
  .object({
    at: z.string(),
    type: z.string().describe('The type of the event, as in docs/events.md.'),
    action_id: z.string(),
    agent: z.string(),
    action_name: z.string(),
    by: z.string().nullable().describe('Who did it: a person, the policy, the clock or the agent.'),
    what: z.string().describe('In words.'),
  })
  .meta({ id: 'CaseEntry' });
export type CaseEntry = z.infer<typeof CaseEntry>;
