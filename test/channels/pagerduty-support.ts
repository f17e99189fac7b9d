import {
  eventually,
  type FakePagerDuty,
  startFakePagerDuty,
  startTestPlacet,
  type TestPlacet,
} from '@placet/testing';
import { expect } from 'vitest';

export const policy = `
version: 1
rules:
  - action: rebook
    decide: require_approval
    approvers: ["pagerduty:airline"]
  - action: rebook.two
    decide: require_approval
    approvers: ["pagerduty:airline"]
    quorum: 2
    editable: [payload.amount]
  - action: unknown
    decide: require_approval
    approvers: ["pagerduty:hotel"]
  - action: later
    decide: require_approval
    approvers: ["role:approver"]
    timeout: 1h
    escalate: [{ after: 1s, to: ["pagerduty:airline"] }]
default: require_approval
`;

export async function startWithPagerDuty(env: Record<string, string> = {}) {
  const pagerDuty = await startFakePagerDuty();
  const [key] = pagerDuty.routingKeys;
  const placet = await startTestPlacet({
    policy,
    env: {
      PLACET_PUBLIC_URL: 'https://placet.example.com',
      PLACET_PAGERDUTY_URL: pagerDuty.url,
      PLACET_PAGERDUTY_KEYS: `airline=${key}`,
      ...env,
    },
  });
  return { pagerDuty, placet };
}

/** What was told of an action, in its order. */
export const eventsOf = (pagerDuty: FakePagerDuty, id: string) =>
  pagerDuty.events.filter(({ dedup_key }) => dedup_key === id);

export const actsOf = (pagerDuty: FakePagerDuty, id: string) =>
  eventsOf(pagerDuty, id).map(({ event_action }) => event_action);

/** The one trigger that there is. */
export async function triggered(pagerDuty: FakePagerDuty, id: string) {
  return eventually(() => {
    const found = eventsOf(pagerDuty, id).find(({ event_action }) => event_action === 'trigger');
    if (found?.event_action !== 'trigger') throw new Error(`nobody is paged about ${id}`);
    return found;
  });
}

export async function incidentIs(pagerDuty: FakePagerDuty, id: string, status: string): Promise<void> {
  await eventually(() => {
    const ofIt = pagerDuty.incidents().filter(({ dedupKey }) => dedupKey === id);
    expect(ofIt.map((incident) => incident.status)).toEqual([status]);
  });
}

/** What the record says that became of telling people. */
export async function told({ admin }: TestPlacet, id: string, type: string) {
  const { body } = await admin.get(`/v1/audit?action=${id}&type=${type}`);
  return body.records.map((record: { body: string }) => JSON.parse(record.body).data);
}

export const toldOnce = (placet: TestPlacet, id: string, type: string) =>
  eventually(async () => {
    const all = await told(placet, id, type);
    expect(all).toHaveLength(1);
    return all[0];
  });
