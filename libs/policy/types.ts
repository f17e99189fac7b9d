import type { Approver, Choice, Severity, VoteChannel } from '@placet/events';
import type { Condition } from './cel/condition.ts';
import type { Counter, CounterUse } from './counters.ts';
import type { Problem } from './problems.ts';
import type { Schedule } from './schedule.ts';

export type Decide = 'allow' | 'deny' | 'require_approval';

export type { Approver, Choice };

/** What an agent tells beside its action that a rule can be for. */
export const selectors = ['tool', 'server', 'acting_agent', 'on_behalf_of', 'tags'] as const;
export type Selector = (typeof selectors)[number];

/** What happens when nobody has decided for so long. */
export type Escalation = {
  afterMs: number;
  to: Approver[];
  /** Those instead of whom was asked before; otherwise beside them. */
  replace?: true;
};

/** Who is told how it ended: whoever owns the agent that asks, or people as approvers are written. */
export type Informed = 'owner' | Approver;

/** How people are asked where a rule holds an action, and how long its permission lasts. Absent: as the service is set. */
export type RuleSettings = {
  /** How many different people have to approve. */
  quorum?: number;
  /** The owner of the agent that asks may not vote. */
  separate?: boolean;
  /** Absent: one rejection ends it. */
  reject?: 'majority';
  timeoutMs?: number;
  onTimeout?: 'deny' | 'allow';
  /** When people are reminded, as shares of the time that they have; ascending. */
  remind?: number[];
  /** In the order of time. */
  escalate?: Escalation[];
  inform?: Informed[];
  /** Parts of the payload that nobody is shown, as paths. */
  redact?: string[];
  /** Of some of these paths the names of the roles that are shown what stands there. */
  redactExcept?: Record<string, string[]>;
  /** Parts of the payload that who is asked may change, as paths. */
  editable?: string[];
  /** What people choose among, instead of approving or rejecting. */
  choices?: Choice[];
  /** When who votes has to say why. */
  requireReason?: 'never' | 'on_reject' | 'always';
  /** Where people may vote. Absent: anywhere. */
  onlyIn?: VoteChannel[];
  /** How loud it is where people are paged. */
  severity?: Severity;
  validForMs?: number;
};

/** Whom a rule asks. */
export type Asked = {
  /** Everybody, wherever in a group. Empty means any person with the role approver. */
  approvers: Approver[];
  /**
   * Where not any of them will do: the ways in which it can be met. Each is a list of places, each to be taken by
   * another person, who is one of those that stand there as text.
   */
  ways?: string[][][];
};

export type Rule = RuleSettings &
  Asked & {
    /** The name given, or "rule for ACTION". */
    name: string;
    /** A glob over the action's name. */
    action: string;
    /** Globs over what the agent told. Of tags one has to match; what was not told matches nothing. */
    only: Partial<Record<Selector, string>>;
    /** Without one it is always there. */
    schedule?: Schedule;
    /** Without one it holds. */
    when?: Condition;
    decide: Decide;
    /** Of a rule that allows: what it allows within a time. */
    counters: Counter[];
    reason?: string;
    line: number;
    /** The shared set that it comes from. */
    set?: string;
  };

/**
 * Without a default, a policy abstains where no rule matches. The rules of the sets that it includes come before its
 * own.
 */
export type Policy = { version: 1; default?: Decide; rules: Rule[]; includes: string[] };

/** A text that a layer is made of beside its own: a set that it includes. */
export type IncludedSet = { scope: string; digest: string; revision: number };

export type Parsed = { ok: true; policy: Policy } | { ok: false; problems: Problem[] };

/** A policy that the store holds but nobody can use is a layer too: leaving it out would loosen the verdict. */
export type BrokenLayer = { scope: string; digest: string | null; revision: number; broken: string };

export type Layer =
  | { scope: string; digest: string; revision: number; policy: Policy; included?: readonly IncludedSet[] }
  | BrokenLayer;

export type LayerVerdict = {
  scope: string;
  digest: string | null;
  revision: number;
  decide: Decide | 'abstain';
  rule: string | null;
  included?: readonly IncludedSet[];
};

/** Whom one layer wants to be asked. */
/** `by_agent`: of whom the agent named; no rule is. */
export type Demand = { by_agent?: true } & Asked &
  Pick<RuleSettings, 'reject' | 'escalate'> & {
    scope: string | null;
    rule: string | null;
    quorum: number;
    separate: boolean;
  };

export type VerdictSettings = Pick<
  RuleSettings,
  | 'timeoutMs'
  | 'onTimeout'
  | 'requireReason'
  | 'validForMs'
  | 'remind'
  | 'inform'
  | 'editable'
  | 'choices'
  | 'onlyIn'
  | 'severity'
>;

export type Verdict = {
  decide: Decide;
  reason: string;
  /** The rule and the scope that decided; null where a default, or nothing at all, did. */
  rule: string | null;
  scope: string | null;
  /** What each layer that requires approval asks for: all of it has to be met. */
  demands: Demand[];
  /** Of all that decide the same the strictest: the shortest times, and a reason wherever one is wanted. */
  settings: VerdictSettings;
  /** Paths of the payload that nobody is shown: of every layer, whatever it decides. */
  redact: string[];
  /** Of some of these paths the roles that are shown what stands there: every rule that hides it has to say so. */
  redactExcept: Record<string, string[]>;
  layers: LayerVerdict[];
  /** What has to be counted before it counts as allowed; none where it is not. */
  uses: CounterUse[];
};
