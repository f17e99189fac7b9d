import type { TestedPolicy } from '@placet/policy';

/** A policy's file, by the name that the user gave it, and what became of its tests. */
export type TestedFile = { file: string; tested: TestedPolicy };

export type Count = { passed: number; failed: number };

/** A policy that is none counts as one failure: there is nothing else of it to count. */
const countOf = ({ tested }: TestedFile): Count => {
  if (!tested.ok) return { passed: 0, failed: 1 };
  const passed = tested.results.filter((result) => result.passed).length;
  return { passed, failed: tested.results.length - passed };
};

export const countAll = (files: readonly TestedFile[]): Count => {
  const counts = files.map(countOf);
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  };
};
