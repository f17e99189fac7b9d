/** Whom the agents of this program ask for what, and who may say so: told apart from the policy's text on purpose. */
export type Verdict =
  | { by: 'policy'; decision: 'allowed' | 'denied' }
  /** One person with each of these roles has to approve. */
  | { by: 'people'; roles: readonly string[] };

const verdicts: Record<string, Verdict> = {
  'read.file': { by: 'policy', decision: 'allowed' },
  'drop.table': { by: 'policy', decision: 'denied' },
  'refund.create': { by: 'people', roles: ['approver'] },
  'wire.send': { by: 'people', roles: ['treasurer', 'controller'] },
};

export function verdictOn(actionName: string): Verdict {
  const verdict = verdicts[actionName];
  if (!verdict) throw new Error(`no agent of ours asks for ${actionName}`);
  return verdict;
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

export const people: readonly Person[] = [
  { email: 'ana@example.com', roles: ['approver'] },
  { email: 'ben@example.com', roles: ['approver'] },
  { email: 'tia@example.com', roles: ['treasurer'] },
  { email: 'tom@example.com', roles: ['treasurer'] },
  { email: 'cem@example.com', roles: ['controller'] },
  { email: 'cho@example.com', roles: ['controller'] },
  { email: 'out@example.com', roles: ['visitor'] },
];

export const agents = ['billing', 'support', 'ledger', 'courier'] as const;
