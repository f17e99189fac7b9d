import {
  boxPlaces,
  type CallbackTarget,
  currentSecrets,
  type EventOf,
  usualWebhookEvents,
  type WebhookEvent,
  type WebhookTarget,
} from '@placet/events';
import { matchGlob, parseGlob } from '@placet/policy';
import { type SecretBox, SecretBoxError } from '@placet/proof';
import type { Announcement } from './announcement.ts';

/** The request that an announcement is about, where somebody has to know it; null when the stream forgot it. */
export type RequestOf = () => Promise<EventOf<'action.requested'> | null>;

type Address =
  | { ok: true; url: string; secrets: readonly string[] }
  /** `isFinal`: another attempt would not find it either. */
  | { ok: false; isFinal: boolean; reason: string };

/** Whoever is told: by the settings, by a webhook of the API, or an agent that has itself called back. */
export type Endpoint = {
  id: string;
  kind: 'webhook' | 'callback';
  types: readonly WebhookEvent[];
  /** How many are sent to at a time. */
  sendsMax: number;
  /** Where it is, in a form that may be shown; null where it does not want to be told of this. */
  targetOf(announcement: Announcement, request: RequestOf): Promise<string | null>;
  addressFor(request: RequestOf, now: Date): Promise<Address>;
  /** Of the configuration that was sent by, where it can be switched off. */
  revision?: number;
};

const sendsMax = 4;
/** A clock may be behind the one by which somebody asked to be told. */
const clocksMs = 5000;

export function endpointOfSettings({ url, secret }: { url: string; secret: string }): Endpoint {
  const { origin } = new URL(url);
  const types: readonly WebhookEvent[] = usualWebhookEvents;
  return {
    id: 'settings',
    kind: 'webhook',
    types,
    sendsMax: 16,
    targetOf: async ({ type }) => (types.includes(type) ? origin : null),
    addressFor: async () => ({ ok: true, url, secrets: [secret] }),
  };
}

export function endpointOfWebhook(target: WebhookTarget, box: SecretBox | undefined): Endpoint {
  const { id, origin, revision } = target;
  const since = new Map(target.events.map((one) => [one.type, Date.parse(one.since)]));
  const agents = target.agents?.map(parseGlob);
  const actions = target.actions?.map(parseGlob);
  return {
    id,
    kind: 'webhook',
    types: [...since.keys()],
    sendsMax,
    revision,
    async targetOf(announcement, request) {
      const from = since.get(announcement.type);
      if (from === undefined || Date.parse(announcement.time) < from - clocksMs) return null;
      const { agent } = announcement.data;
      if (agents && !agents.some((glob) => matchGlob(glob, agent))) return null;
      if (!actions) return origin;
      const name = await actionNameOf(announcement, request);
      // Of what the stream has forgotten nobody knows whether it was meant: rather too much than too little.
      return name === undefined || actions.some((glob) => matchGlob(glob, name)) ? origin : null;
    },
    addressFor: async (_request, now) => addressOf(target, box, now),
  };
}

/** Also of one that is switched off, which can be tried out. */
export function addressOf(target: WebhookTarget, box: SecretBox | undefined, now: Date): Address {
  return opened(box, (open) => ({
    url: open(target.url, boxPlaces.webhookUrl(target.id)),
    secrets: currentSecrets(target.secrets, now).map((one) =>
      open(one.box, boxPlaces.webhookSecret(target.id)),
    ),
  }));
}

export function endpointOfCallback(target: CallbackTarget, box: SecretBox | undefined): Endpoint {
  const { agent, hosts } = target;

  function addressIn(callback: string, actionId: string, now: Date): Address {
    const address = opened(box, (open) => ({
      url: open(callback, boxPlaces.callbackUrl(agent, actionId)),
      secrets: currentSecrets(target.secrets, now).map((one) =>
        open(one.box, boxPlaces.callbackSecret(agent)),
      ),
    }));
    if (!address.ok || hosts.includes(new URL(address.url).host)) return address;
    return { ok: false, isFinal: true, reason: `The agent ${agent} may not be called back there any more.` };
  }

  return {
    id: `agent-${agent}`,
    kind: 'callback',
    types: ['action.decided'],
    sendsMax: 2,
    async targetOf(announcement, request) {
      if (announcement.type !== 'action.decided' || announcement.data.agent !== agent) return null;
      const asked = await request();
      if (asked?.data.callback === undefined || asked.id !== announcement.data.request_event) return null;
      const address = addressIn(asked.data.callback, asked.data.action_id, new Date());
      // What does not open is owed all the same, and its failure is told.
      return address.ok ? new URL(address.url).origin : 'callback';
    },
    async addressFor(request, now) {
      const asked = await request();
      if (asked?.data.callback === undefined) {
        return { ok: false, isFinal: true, reason: 'The stream no longer holds the request.' };
      }
      return addressIn(asked.data.callback, asked.data.action_id, now);
    },
  };
}

type Open = (box: string, place: string) => string;

function opened(
  box: SecretBox | undefined,
  read: (open: Open) => { url: string; secrets: string[] },
): Address {
  // Whoever mends the key has it sent after all.
  if (box === undefined) {
    return { ok: false, isFinal: false, reason: 'PLACET_MASTER_KEY of the notifier is missing.' };
  }
  try {
    return { ok: true, ...read((text, place) => box.decrypt(text, place)) };
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error;
    const reason = 'Address or secret do not open with the PLACET_MASTER_KEY of the notifier.';
    return { ok: false, isFinal: false, reason };
  }
}

async function actionNameOf({ data }: Announcement, request: RequestOf): Promise<string | undefined> {
  if ('action_name' in data) return data.action_name;
  return (await request())?.data.action_name;
}
