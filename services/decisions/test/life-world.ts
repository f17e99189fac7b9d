import { type EventOf, makeEvent, type PlacetEvent, standingOf } from '@placet/events';
import { type CompiledLayer, createLayers, evaluate, requestFacts, type Verdict } from '@placet/policy';
import type { Edit, Timing } from '@placet/policy-service/needed.ts';
import { verdictEvent, verdictOnEdit } from '@placet/policy-service/verdict.ts';
import { createSigner, digestOf, digestOfText, generateSigningKey } from '@placet/proof';
import { decide } from '../approval.ts';
import { eventOf } from '../drafted.ts';
import { type Command, stateOf } from '../state.ts';

const policies = {
  default: `
version: 1
rules:
  - { action: pay, when: payload.amount <= 0, decide: deny }
  - { action: pay, when: payload.amount <= 50, decide: allow }
  - action: pay
    when: payload.amount <= 100
    decide: require_approval
    approvers: { all: ["role:a", "role:b"] }
    editable: [payload.amount]
    timeout: 60s
    escalate: [{ after: 15s, to: ["role:c"], replace: true }]
  - action: pay
    when: payload.amount <= 500
    decide: require_approval
    approvers: ["role:a", "role:b"]
    quorum: 3
    reject: majority
    editable: [payload.amount]
    remind: [25%, 75%]
    timeout: 60s
    escalate: [{ after: 10s, to: ["role:c"] }]
  - action: pay
    decide: require_approval
    approvers: ["role:a"]
    quorum: 2
    separate: true
    editable: [payload.amount]
    timeout: 90s
    escalate:
      - { after: 10s, to: ["role:b"] }
      - { after: 20s, to: ["role:c"], replace: true }
`,
  guardrail: `
version: 1
rules:
  - action: pay
    when: payload.amount > 2000
    decide: require_approval
    approvers: ["role:c"]
    editable: [payload.amount]
`,
};

const layers: CompiledLayer[] = createLayers(
  Object.entries(policies).map(([scope, text], n) => ({
    key: scope,
    revision: n + 1,
    status: 'valid' as const,
    value: { scope, text, digest: digestOfText(text) },
  })),
).forRequest({ agent: 'support' });

const signer = createSigner(generateSigningKey());
const config = {
  automaticValidForMs: 1000,
  peopleValidForMs: 60_000,
  approvalTimeoutMs: 60_000,
  countersBytesMax: 1,
};
const sweepAfterMs = 30_000;
export const people = ['ann', 'ben', 'cat', 'dan', 'eve', 'owner'] as const;
export type Name = (typeof people)[number];
export const roles = ['a', 'b', 'c'] as const;

/** What somebody tries, or what happens. `isCutOff`: whoever does it dies after the first event that it stores. */
export type Attempt = { isCutOff: boolean } & (
  | {
      do: 'vote';
      who: Name;
      as: readonly string[];
      vote: 'approve' | 'reject';
      seen: 'now' | 'before' | 'nothing';
    }
  | { do: 'edit'; who: Name; as: readonly string[]; amount: number; isStale: boolean }
  | { do: 'hand'; who: Name; as: readonly string[]; to: readonly Name[] }
  | { do: 'wait'; ms: number }
  | { do: 'look' }
  | { do: 'judge' }
  | { do: 'withdraw' }
  | { do: 'again' }
);

export type World = {
  events: PlacetEvent[];
  rolesOf: Map<string, readonly string[]>;
  /** Votes that do not say what was seen. */
  blind: Set<string>;
};

/** What came of it all, by the rules of the service and of the policy, with a clock of its own. */
export function play(amount: number, attempts: readonly Attempt[]): World {
  const world: World = { events: [requested(amount)], rolesOf: new Map(), blind: new Set() };
  let nowMs = Date.UTC(2026, 0, 1, 12);
  let last: { command: Command; isCutOff: boolean } | undefined;
  judge(world, new Date(nowMs));
  for (const [n, attempt] of attempts.entries()) {
    nowMs += attempt.do === 'wait' ? attempt.ms : 1;
    const now = new Date(nowMs);
    if (attempt.do === 'judge') judge(world, now);
    const command = attempt.do === 'again' ? last?.command : commandOf(world, attempt, `q${n}`, now);
    if (!command) continue;
    last = { command, isCutOff: attempt.isCutOff };
    // Who repeats does so by the clock of now.
    execute(world, 'now' in command ? { ...command, now } : command, now, attempt.isCutOff);
  }
  return world;
}

function requested(amount: number): EventOf<'action.requested'> {
  const payload = { amount };
  return makeEvent('action.requested', {
    service: 'gateway',
    id: 'request',
    now: new Date(Date.UTC(2026, 0, 1, 12)),
    data: {
      action_id: `act_${'1'.repeat(32)}`,
      agent: 'support',
      action_name: 'pay',
      payload,
      payload_digest: digestOf(payload),
      idempotency_key: null,
      owner: 'owner@example.com',
      accepts: ['edits'],
    },
  });
}

export function verdictOn(request: EventOf<'action.requested'>, payload: unknown): Verdict {
  const data = { ...request.data, payload };
  return evaluate(layers, requestFacts(data, new Date(request.time)));
}

/** The policy's turn; as often as it is delivered. */
function judge({ events }: World, now: Date): void {
  const [request] = events as [EventOf<'action.requested'>];
  const timing: Timing & { signer: typeof signer } = { config, longestMs: 10_000_000, now, signer };
  const newest = events.at(-1);
  if (newest?.type === 'action.requested') {
    events.push(verdictEvent(request, verdictOn(request, request.data.payload), timing));
  }
  if (newest?.type !== 'approval.edited') return;
  const asked = events.filter((event) => event.type === 'approval.needed');
  const [first, earlier] = [asked[0], asked.at(-1)];
  if (!first || !earlier) return;
  const demands = standingOf(events)?.demands ?? [];
  const edit: Edit = { edited: newest, earlier, demands, since: new Date(first.time) };
  events.push(verdictOnEdit(request, verdictOn(request, newest.data.payload), edit, timing));
}

function commandOf(world: World, attempt: Attempt, request: string, now: Date): Command | null {
  const { events, rolesOf } = world;
  const asked = events.findLast((event) => event.type === 'approval.needed');
  const action_id = `act_${'1'.repeat(32)}`;
  const by = (who: Name, as: readonly string[]) => {
    rolesOf.set(request, as);
    const voter = { id: who, email: `${who}@example.com`, roles: [...as] };
    return { action_id, channel: 'api' as const, voter };
  };
  const seen = (isStale: boolean) => {
    return isStale ? `sha256:${'0'.repeat(64)}` : (asked?.data.payload_digest ?? '');
  };
  switch (attempt.do) {
    case 'vote': {
      const { who, as, vote, seen: saw } = attempt;
      if (saw === 'nothing') world.blind.add(request);
      const digest = saw === 'nothing' ? {} : { payload_digest: seen(saw === 'before') };
      return { kind: 'vote', question: { ...by(who, as), vote, ...digest }, request, now };
    }
    case 'edit': {
      const changes = { 'payload.amount': attempt.amount };
      const question = { ...by(attempt.who, attempt.as), changes, payload_digest: seen(attempt.isStale) };
      return { kind: 'edit', question, request, now, sweepAfterMs };
    }
    case 'hand': {
      const approvers = attempt.to.map((to) => ({ kind: 'user' as const, email: `${to}@example.com` }));
      return { kind: 'reassign', question: { ...by(attempt.who, attempt.as), approvers }, request, now };
    }
    case 'look':
      return { kind: 'look', now, sweepAfterMs };
    case 'withdraw':
      return { kind: 'withdraw' };
    default:
      return null;
  }
}

function execute({ events }: World, command: Command, now: Date, isCutOff: boolean): void {
  for (let n = 0; n < 50; n++) {
    const state = stateOf(events);
    const ruling = decide(command, state);
    if (ruling.ruling !== 'append') return;
    events.push(eventOf(ruling.draft, state, { signer, now }));
    if (isCutOff) return;
  }
  throw new Error('a command that never settles');
}
