import { defineConfig } from 'vitest/config';

/** What has no state of its own and starts nothing: its files share a process, which saves loading everything anew. */
const pure = ['libs/{events,policy,proof,text}/**/*.test.ts'];

export default defineConfig({
  test: {
    // Each file may run a broker and five services of its own.
    maxWorkers: 2,
    projects: [
      { test: { name: 'pure', include: pure, isolate: false, testTimeout: 60_000 } },
      {
        test: {
          name: 'placet',
          include: ['{libs,services,scripts,test,bench}/**/*.test.ts'],
          exclude: [...pure, '**/node_modules/**'],
          globalSetup: ['libs/testing/mongodb-global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
