export { readApprover } from './approver.ts';
export {
  type Backtest,
  type BacktestResult,
  type Change,
  type Counts,
  createBacktest,
  type PastRequest,
} from './backtest.ts';
export {
  type CompiledLayer,
  type CompiledPolicy,
  compile,
  compileLayer,
  type PolicyIndex,
} from './compile.ts';
export { type CountersSeen, type CounterUse, type Refused, useId } from './counters.ts';
export { evaluate, look } from './evaluate.ts';
export { type Explanation, explain, type RuleMatch } from './explain.ts';
export { type ActionFacts, requestFacts } from './facts.ts';
export { type Glob, matchGlob, parseGlob } from './glob.ts';
export { createLayers, type Layers, type PolicyEntry, setOf } from './layers.ts';
export { textBytesMax } from './limits.ts';
export { lookAlike } from './look-alike.ts';
export { nearest } from './nearest.ts';
export { parsePolicy, type Reading } from './parse.ts';
export { formatProblems, type Problem } from './problems.ts';
export { redact, redacted } from './redact.ts';
export { policySchema, policySchemaText } from './schema/policy-schema.ts';
export { createTally, type Tally } from './tally.ts';
export {
  type PolicyTestResult,
  type RuleCoverage,
  type TestedPolicy,
  testPolicy,
} from './test-policy.ts';
export type {
  Approver,
  Asked,
  BrokenLayer,
  Decide,
  Demand,
  Escalation,
  Informed,
  Layer,
  LayerVerdict,
  Parsed,
  Policy,
  Rule,
  RuleSettings,
  Verdict,
  VerdictSettings,
} from './types.ts';
