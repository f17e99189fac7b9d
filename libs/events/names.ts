import * as z from 'zod';

/** Another system that follows decisions. */
export const SubscriberName = z.string().regex(/^[a-z0-9-]{1,32}$/);

export const services = ['gateway', 'policy', 'decisions', 'notifier', 'audit'] as const;
export type Service = (typeof services)[number];

/** Of agents, roles, named policies and sets. */
export const nameForm = /^[a-z0-9-]{1,64}$/;

/** Agents' names and actions' ids are tokens of subjects, so neither may hold a dot, a star or a space. */
export const AgentName = z.string().regex(nameForm, 'must be 1 to 64 lower-case letters, digits or hyphens');
export const ActionId = z.string().regex(/^act_[0-9a-f]{32}$/, 'must be an action id (act_…)');
export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be a digest (sha256: and 64 hexadecimal digits)');
export const Instant = z.iso.datetime();

/** What every event about one action repeats from its subject, so that a reader needs the body alone. */
export const OfAction = { action_id: ActionId, agent: AgentName };
