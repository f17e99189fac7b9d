import type { TestWebhookAnswer, WebhookTarget } from '@placet/events';
import type { SecretBox } from '@placet/proof';
import { newId } from '@placet/runtime';
import { addressOf } from './endpoint.ts';
import type { WebhookOutcome } from './outcome.ts';
import type { WebhookSender } from './send.ts';

/** Sends a test event now, and says in words how it went. */
export async function tryOut(
  target: WebhookTarget,
  { sender, box }: { sender: WebhookSender; box: SecretBox | undefined },
): Promise<TestWebhookAnswer> {
  const now = new Date();
  const address = addressOf(target, box, now);
  if (!address.ok) return { delivered: false, message: address.reason };
  const event = testEvent(target.id, now);
  const sent = await sender.send({ ...address, id: event.id, body: JSON.stringify(event), now });
  return inWords(sent);
}

function testEvent(webhook: string, now: Date) {
  return {
    specversion: '1.0',
    id: newId(),
    source: 'placet/notifier',
    type: 'webhook.test',
    subject: webhook,
    time: now.toISOString(),
    datacontenttype: 'application/json',
    data: { webhook, message: 'This is a test. Nothing has happened.' },
  };
}

export function inWords(sent: WebhookOutcome): TestWebhookAnswer {
  switch (sent.outcome) {
    case 'delivered':
      return {
        delivered: true,
        http_status: sent.status,
        message: `The receiver took it: it answered ${sent.status}.`,
      };
    case 'refused':
      return { delivered: false, message: `${sent.reason} Nothing was sent. ${hostsAdvice}` };
    case 'gone':
    case 'retry': {
      const answered = sent.status === undefined ? {} : { http_status: sent.status };
      const advice = sent.status === undefined ? adviceOf(sent.reason) : statusAdvice(sent.status);
      return { delivered: false, ...answered, message: `${sent.reason}${advice}` };
    }
    default:
      return sent satisfies never;
  }
}

const hostsAdvice = 'PLACET_WEBHOOK_ALLOWED_HOSTS can name private hosts that may be reached all the same.';

function statusAdvice(status: number): string {
  if (status === 401 || status === 403) return ' Does it check the signature with this secret?';
  if (status === 404 || status === 405) return ' Is the path right, and does it take POST?';
  if (status === 410)
    return ' To Placet this says that it wants no more: at an event it disables the webhook.';
  return status >= 500 ? ' Its own log should say why.' : '';
}

function adviceOf(reason: string): string {
  if (reason.includes('ECONNREFUSED'))
    return ' The connection was refused: nobody listens at this host and port.';
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return ' The name of the host is not known.';
  if (/CERT|SELF_SIGNED|TLS|SSL/.test(reason))
    return ' Its certificate is not one that is vouched for, or not of this host.';
  if (/ECONNRESET|NO_ANSWER|HPE_/.test(reason))
    return ' It broke the connection off, or does not speak HTTP.';
  return '';
}
