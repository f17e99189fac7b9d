import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{libs,services,scripts,test,bench}/**/*.test.ts'],
    globalSetup: ['libs/testing/mongodb-global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Each file may run a broker and five services of its own.
    maxWorkers: 2,
    // Loading everything anew for each file takes longer than most files do.
    isolate: false,
  },
});
