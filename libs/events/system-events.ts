import * as z from 'zod';

/** Something that must not happen did: a wrong seal, a value put back, a report for an action that was denied. */
export const AlarmRaised = z.object({
  kind: z.enum([
    'wrong_seal',
    'configuration_forged',
    'configuration_missed',
    'executed_without_permission',
    'approval_without_approvers',
    'events_missed',
    'record_conflict',
    'action_lost',
    'proof_rejected',
    'flawed_record',
    'broker_changed',
    'counters_full',
    'policy_unusable',
    'sign_in_mail_failed',
    'mail_links_full',
    'clicks_full',
    'cards_full',
    'cards_stuck',
    'too_many_asked',
  ]),
  message: z.string(),
  about: z.string(),
  details: z.record(z.string(), z.string()).optional(),
});

export const MessageDead = z.object({
  stream: z.string(),
  consumer: z.string(),
  seq: z.number().int(),
  subject: z.string(),
  deliveries: z.number().int(),
  reason: z.string(),
});
