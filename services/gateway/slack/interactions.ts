import { approvalUrl, sleep } from '@placet/runtime';
import type { GatewayConfig } from '../config.ts';
import type { SlackCodes } from '../sessions/slack-codes.ts';
import { type ClickParts, createClicks } from './clicks.ts';
import { type Click, Interaction, Subject, type Submission, textIn } from './interaction.ts';
import { tellPrivately } from './response-url.ts';
import { createSubmissions, type Next } from './submissions.ts';
import { createTakeFirst } from './taken.ts';

/** Slack waits three seconds. */
const answerWithinMs = 2000;

/** What Slack is answered: that it has come, what is wrong with the fields of a modal, or what to show instead. */
type SlackAnswer =
  | { response_action: 'errors'; errors: Record<string, string> }
  | { response_action: 'update'; view: Record<string, unknown> }
  | null;
/** The mark is another for each that Slack sends, and the same when it comes again. */
export type Interactions = (payload: unknown, mark: string) => Promise<SlackAnswer>;

type Parts = ClickParts & { codes: SlackCodes; config: Pick<GatewayConfig, 'slackApiUrl'> };

/** What people do in Slack, whichever way it comes. */
export function createInteractions(parts: Parts): Interactions {
  const { context, config, publicUrl } = parts;
  const clicked = createClicks(parts);
  const submitted = createSubmissions(parts);
  const takeFirst = createTakeFirst(context);

  return async (payload, mark) => {
    const parsed = Interaction.safeParse(payload);
    // What we do not ask for.
    if (!parsed.success) return null;
    if (parsed.data.type === 'view_submission') return answerSubmission(parsed.data, mark);
    // A vote is stored before Slack hears that it has come, unless that takes longer than Slack waits.
    await Promise.race([answerClick(parsed.data, mark), sleep(answerWithinMs)]);
    return null;
  };

  // This must not throw: it may go on when nobody waits for it any more.
  async function answerClick(click: Click, mark: string): Promise<void> {
    const told = await toldOf(click, mark).catch((error: unknown) => {
      context.logger.warn({ err: error }, 'a click in Slack was not answered');
      return `Placet did not answer. Look at the card: if it stands as it stood, click again${orOn(click)}.`;
    });
    if (told === null) return;
    await tellPrivately(click.response_url, told, config.slackApiUrl).catch((error: unknown) =>
      context.logger.warn({ err: error }, 'whoever clicked in Slack was not told what came of it'),
    );
  }

  async function toldOf(click: Click, mark: string): Promise<string | null> {
    // Somebody kept it: what was clicked since stands.
    return (await takeFirst(mark)) ? clicked(click) : null;
  }

  function orOn({ actions: [action] }: Click): string {
    const subject = textIn(Subject, action?.value);
    return publicUrl === undefined || !subject
      ? ''
      : `, or decide on its page: ${approvalUrl(publicUrl, subject.action_id)}`;
  }

  async function answerSubmission(submission: Submission, mark: string): Promise<SlackAnswer> {
    const again = 'Placet does not answer now. Send it again.';
    const [field = 'comment'] = Object.keys(submission.view.state.values);
    const failed = { problems: { [field]: again } };
    const next = await Promise.race<Next>([
      nextOf(submission, mark).catch((error: unknown) => {
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

  async function nextOf(submission: Submission, mark: string): Promise<Next> {
    if (await takeFirst(mark)) return submitted(submission);
    return { problems: { comment: 'This has come before. Look at the card, whether it was counted.' } };
  }
}
