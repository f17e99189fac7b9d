export {
  type CompiledLayer,
  type CompiledPolicy,
  compile,
  compileLayer,
  type PolicyIndex,
} from './compile.ts';
export { type CountersSeen, type CounterUse, type Refused, useId } from './counters.ts';
export { evaluate } from './evaluate.ts';
export { parsePolicy } from './parse.ts';
export { formatProblems } from './problems.ts';
export type {
  ActionFacts,
  Approver,
  BrokenLayer,
  Decide,
  Demand,
  Layer,
  LayerVerdict,
  Parsed,
  Policy,
  Problem,
  Rule,
  Verdict,
} from './types.ts';
