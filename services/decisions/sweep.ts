import type { ServiceParts } from '@placet/runtime';
import type { DecisionsConfig } from './config.ts';
import type { Execute } from './execute.ts';
import type { DueAction, OutcomeStore } from './store.ts';

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
    for (const action of due) await look(action, now);
    context.metrics.openApprovals.set(await store.countOpen());
  }

  /** One action that cannot be decided now must not keep the others waiting. */
  async function look({ agent, actionId }: DueAction, now: Date): Promise<void> {
    try {
      await execute(agent, actionId, { kind: 'look', now, sweepAfterMs });
    } catch (error) {
      context.logger.warn(
        { err: error, action: actionId },
        'an action could not be looked at; the next sweep does',
      );
    }
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
