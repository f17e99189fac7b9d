import { parseArgs } from 'node:util';
import { printable, printableJson } from './printable.ts';
import { exitCodes, type Verb, WrongUsage } from './verb.ts';
import { defaultUrl, readWhere } from './where.ts';

const withinMs = 60_000;

const help = `Usage: placet notify test [--json] CHANNEL

Sends something harmless there, waits whether it arrives, and says what is wrong if it does not.

  CHANNEL   as a policy names it: "#approvals", user:dana@example.com, role:manager or pagerduty:airline;
            or the id of a webhook
  --json    one JSON document instead of the lines
  --help    this page

PLACET_URL says where Placet is (${defaultUrl}, if not set), PLACET_TOKEN holds the token of an administrator.

Exit code: 0 when all of it arrived, 1 when something did not, 2 when the command is wrong.
`;

type Result = { channel: string; target: string; ok: boolean; message: string };
type Answer = { ok: boolean; results: Result[] };

export const notifyTest: Verb = {
  name: 'notify test',
  summary: 'sends a test to a channel, a person, a service of PagerDuty or a webhook',
  help,
  async run(args, { env, print, complain }) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    });
    const [channel, ...more] = positionals;
    if (channel === undefined) throw new WrongUsage('name a channel: placet notify test "#approvals"');
    if (more.length > 0) throw new WrongUsage(`one channel at a time, not ${positionals.join(' and ')}`);
    const answer = await tested(channel, readWhere(env, 'an administrator'));
    if ('problem' in answer) {
      complain(`placet: ${printable(answer.problem)}\n`);
      return exitCodes.failed;
    }
    print(values.json ? `${printableJson(answer)}\n` : answer.results.map(lineOf).join(''));
    return answer.ok ? exitCodes.passed : exitCodes.failed;
  },
};

const lineOf = ({ channel, target, ok, message }: Result): string =>
  `${printable(`${ok ? 'ok  ' : 'FAIL'}  ${channel} ${target}: ${message}`)}\n`;

const tested = async (
  channel: string,
  { url, token }: ReturnType<typeof readWhere>,
): Promise<Answer | { problem: string }> => {
  const isWebhook = channel.startsWith('wh_');
  const path = `/v1/${isWebhook ? 'webhooks' : 'channels'}/${encodeURIComponent(channel)}/test`;
  try {
    const response = await fetch(new URL(path, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(withinMs),
    });
    const body = (await response.json()) as Partial<Answer & { message: string; delivered: boolean }>;
    if (!response.ok) return { problem: body.message ?? `Placet answered ${response.status}` };
    const { ok = false, results = [], delivered = false, message = '' } = body;
    if (!isWebhook) return { ok, results };
    return { ok: delivered, results: [{ channel: 'webhook', target: channel, ok: delivered, message }] };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return {
      problem: `Placet was not reached at ${url}: ${cause instanceof Error ? cause.message : String(cause)}`,
    };
  }
};
