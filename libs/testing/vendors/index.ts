export type { Failure } from './failures.ts';
export * from './pagerduty.ts';
export * from './slack.ts';
export type { Forgery, GestureAnswer, GestureOptions } from './slack-gestures.ts';
export type {
  SlackChannel,
  SlackEphemeral,
  SlackMessage,
  SlackMetadata,
  SlackOptions,
  SlackUser,
  SlackView,
} from './slack-workspace.ts';
export * from './smtp.ts';
