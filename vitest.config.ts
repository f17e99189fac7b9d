import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take long although they are short begin first, so that no worker waits for the last of them. */
const slow = /^(test\/(cluster|faults|process|security)|services\/\w+\/test)\//;

class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) =>
      slow.test(moduleId.slice(import.meta.dirname.length + 1));
    return [...bySize.filter(isSlow), ...bySize.filter((file) => !isSlow(file))];
  }
}

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
    sequence: { sequencer: SlowFirst },
  },
});
