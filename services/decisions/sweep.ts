import type { ServiceParts } from '@placet/runtime';
import type { DecisionsConfig } from './config.ts';
import type { Execute } from './execute.ts';
import type { OutcomeStore } from './store.ts';

const everyMs = 500;
const dueMax = 200;

/** The clock: deadlines that have passed, and requests that nobody judged. Any number of instances may run it. */
export function startSweep(
  { context, resources }: ServiceParts,
  store: OutcomeStore,
  execute: Execute,
  { sweepAfterMs }: DecisionsConfig,
): void {
  let sweeping: Promise<void> | undefined;

  async function sweep(): Promise<void> {
    const now = new Date();
    const due = await store.due(now, new Date(now.getTime() - sweepAfterMs), dueMax);
    for (const { agent, actionId } of due)
      await execute(agent, actionId, { kind: 'look', now, sweepAfterMs });
    context.metrics.openApprovals.set(await store.countOpen());
  }

  const timer = setInterval(() => {
    sweeping ??= sweep()
      .catch((error: unknown) => context.logger.warn({ err: error }, 'a sweep failed; the next one goes on'))
      .finally(() => {
        sweeping = undefined;
      });
  }, everyMs);
  resources.add('sweep', async () => {
    clearInterval(timer);
    await sweeping;
  });
}
