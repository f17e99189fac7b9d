import { shortened } from '@placet/text';

/** The parts of Slack's Block Kit that we use. */
export type PlainText = { type: 'plain_text'; text: string; emoji?: false };
export type Mrkdwn = { type: 'mrkdwn'; text: string };
export type Button = {
  type: 'button';
  action_id: string;
  text: PlainText;
  value?: string;
  url?: string;
  style?: 'primary' | 'danger';
};
export type Block =
  | { type: 'header'; text: PlainText }
  | { type: 'section'; text: PlainText | Mrkdwn }
  | { type: 'section'; fields: (PlainText | Mrkdwn)[] }
  | { type: 'context'; elements: (PlainText | Mrkdwn)[] }
  | { type: 'actions'; block_id: string; elements: Button[] }
  | { type: 'divider' };

const sectionCharsMax = 3000;
export const buttonTextMax = 75;
export const headerCharsMax = 150;

/** Text that Slack shows as it is: no links, no names, no formatting. Agents write nothing else. */
export function plain(text: string, charsMax = sectionCharsMax): PlainText {
  return { type: 'plain_text', text: shortened(text, charsMax) || ' ', emoji: false };
}

export const header = (text: string): Block => ({ type: 'header', text: plain(text, headerCharsMax) });
export const section = (text: string, charsMax = sectionCharsMax): Block => ({
  type: 'section',
  text: plain(text, charsMax),
});
export const note = (text: string, charsMax = 2000): Block => ({
  type: 'context',
  elements: [plain(text, charsMax)],
});

/** Ours alone: what comes from others goes through `escaped`. */
export const marked = (text: string): Mrkdwn => ({ type: 'mrkdwn', text });

/** For where Slack reads its own markup in any case, as in the text of a notification: nobody is called, nothing linked. */
export function escaped(text: string, charsMax: number): string {
  return shortened(text, charsMax).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A time that Slack shows in the reader's own zone. */
export function timeText(instant: string): string {
  const seconds = Math.floor(Date.parse(instant) / 1000);
  return `<!date^${seconds}^{date_short_pretty} {time}|${instant}>`;
}
