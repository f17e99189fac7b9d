import { sleep } from '@placet/runtime';
import type { GatewayConfig } from '../config.ts';
import type { SlackCodes } from '../sessions/slack-codes.ts';
import { type ClickParts, createClicks } from './clicks.ts';
import { type Click, Interaction, type Submission } from './interaction.ts';
import { tellPrivately } from './response-url.ts';
import { createSubmissions } from './submissions.ts';

/** Slack waits three seconds. */
const answerWithinMs = 2000;

/** What Slack is answered: that it has come, or what is wrong with the fields of a modal. */
export type SlackAnswer = { response_action: 'errors'; errors: Record<string, string> } | null;
export type Interactions = (payload: unknown) => Promise<SlackAnswer>;

type Parts = ClickParts & { codes: SlackCodes; config: Pick<GatewayConfig, 'slackApiUrl'> };

/** What people do in Slack, whichever way it comes. */
export function createInteractions(parts: Parts): Interactions {
  const { context, config } = parts;
  const clicked = createClicks(parts);
  const submitted = createSubmissions(parts);

  return async (payload) => {
    const parsed = Interaction.safeParse(payload);
    // What we do not ask for.
    if (!parsed.success) return null;
    if (parsed.data.type === 'view_submission') return answerSubmission(parsed.data);
    // A vote is stored before Slack hears that it has come, unless that takes longer than Slack waits.
    await Promise.race([answerClick(parsed.data), sleep(answerWithinMs)]);
    return null;
  };

  async function answerClick(click: Click): Promise<void> {
    try {
      const told = await clicked(click);
      if (told !== null) await tellPrivately(click.response_url, told, config.slackApiUrl);
    } catch (error) {
      context.logger.warn({ err: error }, 'a click in Slack was not answered');
    }
  }

  async function answerSubmission(submission: Submission): Promise<SlackAnswer> {
    const again = 'Placet does not answer now. Send it again.';
    const [field = 'comment'] = Object.keys(submission.view.state.values);
    const problems = await Promise.race([
      submitted(submission).catch((error: unknown) => {
        context.logger.warn({ err: error }, 'what was written in Slack was not taken');
        return { [field]: again };
      }),
      sleep(answerWithinMs).then(() => ({ [field]: again })),
    ]);
    if (problems === null) return null;
    // A field that the modal does not have would show nothing.
    const known = Object.entries(problems).map(([name, said]): [string, string] => {
      return [Object.hasOwn(submission.view.state.values, name) ? name : field, said];
    });
    return { response_action: 'errors', errors: Object.fromEntries(known) };
  }
}
