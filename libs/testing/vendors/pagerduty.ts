import { createHmac, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createFailures, type Failure, playFailure, takesEffect, vendorError } from './failures.ts';
import { checkEvent, eventBytesMax, type PagerDutyEvent } from './pagerduty-events.ts';
import { type Answer, post } from './post.ts';
import { parseJson, readBody, sendJson, startVendorServer } from './server.ts';

export type PagerDutyIncident = {
  dedupKey: string;
  routingKey: string;
  status: 'triggered' | 'acknowledged' | 'resolved';
  summary: string;
  severity: string;
  /** Every event that was grouped into it. */
  events: PagerDutyEvent[];
};

export type PagerDutyOptions = {
  /** The integration keys of the account's services. */
  routingKeys?: readonly string[];
};

/** A signature may stand beside the ones of other secrets; a test can forge it, or leave it out with null. */
export type PagerDutyWebhook = {
  body: unknown;
  id?: string;
  alsoSignedWith?: readonly string[];
  signature?: string | null;
};

export type FakePagerDuty = Awaited<ReturnType<typeof startFakePagerDuty>>;

const webhookWithinMs = 5000;
const enqueuePath = '/v2/enqueue';
type Reply = { status: number; body: Record<string, unknown> };

/** PagerDuty's Events API v2, and its webhooks. */
export async function startFakePagerDuty(options: PagerDutyOptions = {}) {
  const { routingKeys = ['a'.repeat(32)] } = options;
  const failures = createFailures();
  const events: PagerDutyEvent[] = [];
  const incidents: PagerDutyIncident[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url !== enqueuePath) {
      response.writeHead(404).end();
      return;
    }
    const body = await readBody(request);
    const failure = failures.take(enqueuePath);
    const error = vendorError(failure);
    const reply = error === undefined && takesEffect(failure) ? take(body) : invalid([error ?? '']);
    if (!playFailure(failure, response)) sendJson(response, reply.body, reply.status);
  }

  function take(body: Buffer): Reply {
    if (body.length > eventBytesMax) return { status: 413, body: { status: 'event too large' } };
    const checked = checkEvent(parseJson(body.toString()));
    if ('errors' in checked) return invalid(checked.errors);
    const { event } = checked;
    if (!routingKeys.includes(event.routing_key)) return invalid(['Invalid routing key']);
    const dedupKey = event.dedup_key ?? randomUUID().replaceAll('-', '');
    events.push(event);
    apply(event, dedupKey);
    return { status: 202, body: { status: 'success', message: 'Event processed', dedup_key: dedupKey } };
  }

  /** Whatever comes for an incident that is resolved, or never was, is accepted and does nothing but a trigger. */
  function apply(event: PagerDutyEvent, dedupKey: string): void {
    const { routing_key: routingKey } = event;
    const open = incidents.find(
      (incident) =>
        incident.dedupKey === dedupKey &&
        incident.routingKey === routingKey &&
        incident.status !== 'resolved',
    );
    open?.events.push(event);
    if (event.event_action === 'trigger') {
      if (open) return;
      const { summary, severity } = event.payload;
      incidents.push({ dedupKey, routingKey, status: 'triggered', summary, severity, events: [event] });
    } else if (open) {
      open.status = event.event_action === 'resolve' ? 'resolved' : 'acknowledged';
    }
  }

  const { url, close } = await startVendorServer('fake PagerDuty', handle);
  return {
    url,
    close,
    routingKeys,
    /** Every event that was accepted, in its order. */
    events,
    /** As they stand now, the oldest first. */
    incidents: (): readonly PagerDutyIncident[] => incidents,
    failNext: (failure: Failure, times = 1) => failures.failNext(enqueuePath, failure, times),
    sendWebhook: (to: string, secret: string, webhook: PagerDutyWebhook): Promise<Answer> =>
      sendWebhook(to, secret, webhook),
  };
}

function invalid(errors: readonly string[]): Reply {
  return { status: 400, body: { status: 'invalid event', message: 'Event object is invalid', errors } };
}

function sendWebhook(url: string, secret: string, webhook: PagerDutyWebhook): Promise<Answer> {
  const { body, id = randomUUID(), alsoSignedWith = [], signature } = webhook;
  const text = JSON.stringify(body);
  const right = [...alsoSignedWith, secret]
    .map((key) => `v1=${createHmac('sha256', key).update(text).digest('hex')}`)
    .join(',');
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'PagerDuty-Webhook/V3.0',
    'x-webhook-id': id,
    ...(signature === null ? {} : { 'x-pagerduty-signature': signature ?? right }),
  };
  return post(url, headers, text, webhookWithinMs);
}
