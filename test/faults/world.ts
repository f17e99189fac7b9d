/** Whom the agents of this program ask for what, and who may say so: told apart from the policy's text on purpose. */
export type Verdict =
  | { by: 'policy'; decision: 'allowed' | 'denied' }
  | { by: 'people'; demands: readonly Demand[] };

/** So many different people, each with one of the roles; where they are separate, nobody who changed the payload. */
export type Demand = { roles: readonly string[]; quorum: number; separate: boolean };
export type Payload = Readonly<Record<string, unknown>>;

/** From then on others are asked for the first demand, beside those who were asked or instead of them. */
export type Escalation = { afterMs: number; role: string; replace: boolean };

/** What holds for an action while people are asked about it. */
export type Asking = {
  editable: readonly string[];
  timeoutMs: number;
  /** At these shares of the time people are reminded. */
  remind: readonly number[];
  escalate: readonly Escalation[];
};

const allowed: Verdict = { by: 'policy', decision: 'allowed' };
const denied: Verdict = { by: 'policy', decision: 'denied' };
/** A demand of each layer of the policy that asks, in their order: the guardrail's is the first. */
const byOne = (...roles: string[]): Verdict => {
  return { by: 'people', demands: roles.map((role) => ({ roles: [role], quorum: 1, separate: false })) };
};

/** Above these amounts an order or a restart is denied, an order needs two people, and any of them people at all. */
export const bounds = { denied: 900, two: 500, people: 100 };

const verdicts: Record<string, (amount: number) => Verdict> = {
  'read.file': () => allowed,
  'drop.table': () => denied,
  'refund.create': () => byOne('approver'),
  'wire.send': () => byOne('controller', 'treasurer'),
  'order.place': (amount) => {
    const quorum = amount > bounds.two ? 2 : 1;
    return bounded(amount, { roles: ['approver'], quorum, separate: true });
  },
  'restart.service': (amount) => bounded(amount, { roles: ['oncall'], quorum: 2, separate: false }),
};

function bounded(amount: number, demand: Demand): Verdict {
  if (amount > bounds.denied) return denied;
  return amount > bounds.people ? { by: 'people', demands: [demand] } : allowed;
}

export function verdictOn(actionName: string, { amount }: Payload): Verdict {
  const verdict = verdicts[actionName];
  if (!verdict) throw new Error(`no agent of ours asks for ${actionName}`);
  return verdict(Number(amount));
}

export const approvalTimeoutMs = 6000;
const plain: Asking = { editable: [], timeoutMs: approvalTimeoutMs, remind: [], escalate: [] };

export function askingFor(actionName: string): Asking {
  switch (actionName) {
    case 'order.place':
      return { ...plain, editable: ['payload.amount'] };
    case 'restart.service':
      return {
        editable: ['payload.amount'],
        timeoutMs: 4000,
        remind: [0.2, 0.6],
        escalate: [
          { afterMs: 1000, role: 'lead', replace: false },
          { afterMs: 2000, role: 'manager', replace: true },
        ],
      };
    default:
      return plain;
  }
}

/** The same as policies. Two layers ask for people, each for its own: a wire needs two. */
export const policies = {
  default: `version: 1
rules:
  - action: read.*
    decide: allow
  - action: drop.*
    decide: deny
  - action: refund.*
    decide: require_approval
    approvers: ["#approvals"]
  - action: wire.*
    decide: require_approval
    approvers: ["role:treasurer"]
  - action: order.*
    when: payload.amount > 900
    decide: deny
  - action: order.*
    when: payload.amount > 500
    decide: require_approval
    approvers: ["role:approver"]
    quorum: 2
    separate: true
    editable: [payload.amount]
  - action: order.*
    when: payload.amount > 100
    decide: require_approval
    approvers: ["role:approver"]
    separate: true
    editable: [payload.amount]
  - action: order.*
    decide: allow
  - action: restart.*
    when: payload.amount > 900
    decide: deny
  - action: restart.*
    when: payload.amount > 100
    decide: require_approval
    approvers: ["role:oncall"]
    quorum: 2
    editable: [payload.amount]
    timeout: 4s
    remind: [20%, 60%]
    escalate:
      - { after: 1s, to: ["role:lead"] }
      - { after: 2s, to: ["role:manager"], replace: true }
  - action: restart.*
    decide: allow
default: deny
`,
  guardrail: `version: 1
rules:
  - action: wire.*
    decide: require_approval
    approvers: ["role:controller"]
`,
};

export type Person = { email: string; roles: readonly string[] };
export type KnownPerson = Person & { id: string };

/** Nobody has two roles. Who is a visitor is asked for nothing, and can be handed a place. */
const names: Record<string, readonly string[]> = {
  approver: ['ana', 'ben', 'abe'],
  treasurer: ['tia', 'tom'],
  controller: ['cem', 'cho'],
  oncall: ['oda', 'oli'],
  lead: ['lea', 'lou'],
  manager: ['mia', 'max'],
  visitor: ['sub', 'sue', 'out'],
};

export const emailOf = (name: string): string => `${name}@example.com`;

export const people: readonly Person[] = Object.entries(names).flatMap(([role, all]) =>
  all.map((name) => ({ email: emailOf(name), roles: [role] })),
);

export const agents = ['billing', 'support', 'ledger', 'courier'] as const;
