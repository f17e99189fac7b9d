import { provideMongo } from '@placet/cluster/mongodb.ts';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    mongo: { url: string; kind: string };
  }
}

/** One server for the whole run. When there is none to be had the run fails: a skipped store is an untested one. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const mongo = await provideMongo();
  project.provide('mongo', { url: mongo.url, kind: mongo.kind });
  process.stdout.write(`MongoDB for tests: ${mongo.kind}\n`);
  return mongo.stop;
}
