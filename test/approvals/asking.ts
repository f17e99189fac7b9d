import { eventually, type TestPlacet } from '@placet/testing';
import { expect } from 'vitest';
import { personWith } from '../support.ts';

/** What people are asked in the tests of an approval's life, an action for each way of asking. */
export const askingPolicy = `
version: 1
rules:
  - action: pay.two
    decide: require_approval
    approvers: ["role:finance"]
    quorum: 2
  - action: pay.both
    decide: require_approval
    approvers: { all: ["role:manager", "role:security"] }
  - action: pay.majority
    decide: require_approval
    approvers: ["role:finance"]
    quorum: 3
    reject: majority
  - action: pay.large
    when: payload.amount > 1000
    decide: require_approval
    approvers: ["role:manager"]
    redact: [payload.note]
  - action: pay.large
    when: payload.amount > 100
    decide: require_approval
    approvers: ["role:manager"]
    editable: [payload.amount, payload.note]
    separate: true
    redact: [payload.iban, { path: payload.name, except: ["role:finance"] }]
    inform: [owner, "#finance"]
  - action: pay.large
    when: payload.amount <= 0
    decide: deny
    reason: Nothing is paid for nothing.
  - action: pay.large
    decide: allow
  - action: pay.stepped
    decide: require_approval
    approvers: ["role:manager"]
    editable: [payload.amount]
    timeout: 100s
    remind: [1%, 90%]
  - action: pay.soon
    decide: require_approval
    approvers: ["role:finance"]
    timeout: 4s
    remind: [25%]
    escalate:
      - { after: 2s, to: ["role:manager"] }
  - action: pay.replaced
    decide: require_approval
    approvers: ["role:finance"]
    timeout: 1h
    escalate:
      - { after: 1s, to: ["role:manager"], replace: true }
  - action: pay.both.replaced
    decide: require_approval
    approvers: { all: ["role:manager", "role:security"] }
    escalate:
      - { after: 1s, to: ["role:finance"], replace: true }
  - action: pay.both.rejected
    decide: require_approval
    approvers: { all: ["role:manager", "role:security"] }
    reject: majority
    escalate:
      - { after: 1s, to: ["role:finance"], replace: true }
  - action: pay.once
    when: payload.amount > 100
    decide: require_approval
    approvers: ["role:manager"]
    editable: [payload.amount, payload.to]
  - name: once for each
    action: pay.once
    decide: allow
    limit: { count: 1, per: 31d, by: payload.to, else: deny }
  - action: deploy
    decide: require_approval
    approvers: ["role:manager"]
    choices: [{ name: blue, means: allow }, { name: green, means: allow }, { name: wait, means: deny }]
    quorum: 2
  - action: deploy.majority
    decide: require_approval
    approvers: ["role:manager"]
    choices: [{ name: go, means: allow }, { name: stop, means: deny }, { name: wait, means: deny }]
    quorum: 3
    reject: majority
  - action: ask.silence
    decide: require_approval
    approvers: ["role:manager"]
    choices: [{ name: go, means: allow }, { name: stop, means: deny }]
    timeout: 1s
    on_timeout: allow
  - action: read.*
    decide: allow
  - action: ask.*
    decide: require_approval
    approvers: ["role:manager"]
default: require_approval
`;

export type Cast = Awaited<ReturnType<typeof castOf>>;

/** The people of these tests. */
export async function castOf(placet: TestPlacet) {
  const person = (name: string, ...roles: string[]) => personWith(placet, `${name}@example.com`, roles);
  return {
    fay: await person('fay', 'finance'),
    finn: await person('finn', 'finance'),
    flo: await person('flo', 'finance'),
    mia: await person('mia', 'manager'),
    max: await person('max', 'manager'),
    sam: await person('sam', 'security'),
    both: await person('both', 'manager', 'security'),
    out: await person('out', 'clerk'),
  };
}

/** Asks, and answers the id of what is held then. */
export async function asked({ agent }: TestPlacet, action_name: string, body: object = {}): Promise<string> {
  const reply = await agent.check({ action_name, payload: { amount: 500 }, ...body });
  expect(reply).toMatchObject({ status: 200, body: { decision: 'pending', approval: {} } });
  return reply.body.action_id;
}

/** The approval, as soon as the policy has judged this revision. */
export async function atRevision(placet: TestPlacet, id: string, revision: number) {
  return eventually(async () => {
    const { body } = await placet.admin.get(`/v1/approvals/${id}`);
    expect(body.revision).toBe(revision);
    return body;
  });
}
