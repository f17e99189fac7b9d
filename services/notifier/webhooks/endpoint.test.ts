import { boxPlaces, type EventOf, makeEvent, type WebhookTarget } from '@placet/events';
import { createSecretBox } from '@placet/proof';
import { describe, expect, test } from 'vitest';
import type { Announcement } from './announcement.ts';
import { endpointOfCallback, endpointOfWebhook, type RequestOf } from './endpoint.ts';

const box = createSecretBox(new Uint8Array(32).fill(1));
const now = new Date('2026-01-02T03:04:05.000Z');
const before = (ms: number) => new Date(now.getTime() - ms);
const action_id = `act_${'1'.repeat(32)}`;
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

const targetWith = (more: Partial<WebhookTarget> = {}): WebhookTarget => ({
  id: 'wh_1',
  origin: 'https://example.com',
  url: box.encrypt('https://example.com/hook', boxPlaces.webhookUrl('wh_1')),
  events: [{ type: 'approval.reminded', since: now.toISOString() }],
  secrets: [],
  revision: 1,
  ...more,
});

function reminded(at: Date): Announcement {
  const data = { action_id, agent: 'support' } as EventOf<'approval.reminded'>['data'];
  return makeEvent('approval.reminded', { service: 'decisions', id: 'e', now: at, data });
}

const requested =
  (action_name: string, callback?: string): RequestOf =>
  async () => {
    const data = {
      action_id,
      agent: 'support',
      action_name,
      callback,
    } as EventOf<'action.requested'>['data'];
    return makeEvent('action.requested', { service: 'gateway', id: 'asked', now, data });
  };
const forgotten: RequestOf = async () => null;

describe('a webhook', () => {
  test('is not told of what was before it asked, as far as clocks agree', async () => {
    const endpoint = endpointOfWebhook(targetWith(), box);
    expect(await endpoint.targetOf(reminded(now), forgotten)).toBe('https://example.com');
    expect(await endpoint.targetOf(reminded(before(1000)), forgotten)).toBe('https://example.com');
    expect(await endpoint.targetOf(reminded(before(60_000)), forgotten)).toBeNull();
  });

  test('that chooses actions is told what the request was for, where an event does not say', async () => {
    const endpoint = endpointOfWebhook(targetWith({ actions: ['pay.*'] }), box);
    expect(await endpoint.targetOf(reminded(now), requested('pay.soon'))).toBe('https://example.com');
    expect(await endpoint.targetOf(reminded(now), requested('read.mail'))).toBeNull();
    expect(await endpoint.targetOf(reminded(now), forgotten)).toBe('https://example.com');
  });

  test('is signed for with what is valid at the moment, and an unreadable one waits for its key', async () => {
    const boxed = (text: string, until?: Date) => ({
      box: box.encrypt(text, boxPlaces.webhookSecret('wh_1')),
      made_at: now.toISOString(),
      ...(until ? { until: until.toISOString() } : {}),
    });
    const secrets = [boxed('new'), boxed('old', new Date(now.getTime() + 1000)), boxed('older', before(1))];
    const target = targetWith({ secrets });
    const address = await endpointOfWebhook(target, box).addressFor(forgotten, now);
    expect(address).toEqual({ ok: true, url: 'https://example.com/hook', secrets: ['new', 'old'] });
    for (const other of [undefined, createSecretBox(new Uint8Array(32).fill(2))]) {
      expect(await endpointOfWebhook(target, other).addressFor(forgotten, now)).toMatchObject({
        ok: false,
        isFinal: false,
      });
    }
    const moved = { ...target, id: 'wh_2' };
    expect(await endpointOfWebhook(moved, box).addressFor(forgotten, now)).toMatchObject({ ok: false });
  });
});

describe('a callback', () => {
  const url = 'https://agent.example/done?token=t';
  const callback = box.encrypt(url, boxPlaces.callbackUrl('support', action_id));
  const secrets = [
    { box: box.encrypt(secret, boxPlaces.callbackSecret('support')), made_at: now.toISOString() },
  ];
  const decided = (request_event: string) =>
    makeEvent('action.decided', {
      service: 'policy',
      id: 'e',
      now,
      data: { action_id, agent: 'support', request_event } as EventOf<'action.decided'>['data'],
    });

  test('goes to the host that the agent is allowed when it is sent', async () => {
    const allowed = endpointOfCallback({ agent: 'support', hosts: ['agent.example'], secrets }, box);
    expect(await allowed.targetOf(decided('asked'), requested('a', callback))).toBe('https://agent.example');
    expect(await allowed.addressFor(requested('a', callback), now)).toEqual({
      ok: true,
      url,
      secrets: [secret],
    });
    const refused = endpointOfCallback({ agent: 'support', hosts: ['other.example'], secrets }, box);
    expect(await refused.addressFor(requested('a', callback), now)).toMatchObject({
      ok: false,
      isFinal: true,
    });
  });

  test('is for the request that named it, and for nothing else', async () => {
    const endpoint = endpointOfCallback({ agent: 'support', hosts: ['agent.example'], secrets }, box);
    expect(await endpoint.targetOf(decided('another'), requested('a', callback))).toBeNull();
    expect(await endpoint.targetOf(decided('asked'), requested('a'))).toBeNull();
    const other = endpointOfCallback({ agent: 'other', hosts: ['agent.example'], secrets }, box);
    expect(await other.targetOf(decided('asked'), requested('a', callback))).toBeNull();
  });
});
