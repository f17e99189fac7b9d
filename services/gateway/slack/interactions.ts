import { approvalUrl, type ServiceParts, sleep } from '@placet/runtime';
import type { GatewayConfig } from '../config.ts';
import type { SlackCodes } from '../sessions/slack-codes.ts';
import { type ClickParts, createClicks } from './clicks.ts';
import { type Click, Interaction, Subject, type Submission, textIn } from './interaction.ts';
import { tellPrivately } from './response-url.ts';
import { createSubmissions, type Next } from './submissions.ts';
import { createTake, type Sent } from './taken.ts';

/** Slack waits three seconds. */
const answerWithinMs = 2000;

/** What Slack is answered: that it has come, what is wrong with the fields of a modal, or what to show instead. */
type SlackAnswer =
  | { response_action: 'errors'; errors: Record<string, string> }
  | { response_action: 'update'; view: Record<string, unknown> }
  | null;
export type Interactions = (payload: unknown, sent: Sent) => Promise<SlackAnswer>;

type Parts = Omit<ClickParts, 'take'> &
  Pick<ServiceParts, 'alarm'> & { codes: SlackCodes; config: Pick<GatewayConfig, 'slackApiUrl'> };

/** What people do in Slack, whichever way it comes. */
export function createInteractions(parts: Parts): Interactions {
  const { context, config, publicUrl } = parts;
  const take = createTake(parts);
  const clicked = createClicks({ ...parts, take });
  const submitted = createSubmissions({ ...parts, take });

  return async (payload, sent) => {
    const parsed = Interaction.safeParse(payload);
    // What we do not ask for.
    if (!parsed.success) return null;
    if (parsed.data.type === 'view_submission') return answerSubmission(parsed.data, sent);
    // A vote is stored before Slack hears that it has come, unless that takes longer than Slack waits.
    await Promise.race([answerClick(parsed.data, sent), sleep(answerWithinMs)]);
    return null;
  };

  // This must not throw: it may go on when nobody waits for it any more.
  async function answerClick(click: Click, sent: Sent): Promise<void> {
    const told = await clicked(click, sent).catch((error: unknown) => {
      context.logger.warn({ err: error }, 'a click in Slack was not answered');
      return `Placet did not answer. Look at the card: if it stands as it stood, click again${orOn(click)}.`;
    });
    if (told === null) return;
    await tellPrivately(click.response_url, told, config.slackApiUrl).catch((error: unknown) =>
      context.logger.warn({ err: error }, 'whoever clicked in Slack was not told what came of it'),
    );
  }

  function orOn({ actions: [action] }: Click): string {
    const subject = textIn(Subject, action?.value);
    return publicUrl === undefined || !subject
      ? ''
      : `, or decide on its page: ${approvalUrl(publicUrl, subject.action_id)}`;
  }

  async function answerSubmission(submission: Submission, sent: Sent): Promise<SlackAnswer> {
    const again = 'Placet does not answer now. Send it again.';
    const [field = 'comment'] = Object.keys(submission.view.state.values);
    const failed = { problems: { [field]: again } };
    const next = await Promise.race<Next>([
      submitted(submission, sent).catch((error: unknown) => {
        context.logger.warn({ err: error }, 'what was written in Slack was not taken');
        return failed;
      }),
      sleep(answerWithinMs).then(() => failed),
    ]);
    if (next === null) return null;
    if ('view' in next) return { response_action: 'update', view: next.view };
    // A field that the modal does not have would show nothing.
    const known = Object.entries(next.problems).map(([name, said]): [string, string] => {
      return [Object.hasOwn(submission.view.state.values, name) ? name : field, said];
    });
    return { response_action: 'errors', errors: Object.fromEntries(known) };
  }
}
