import { causeId, type ServiceParts } from '@placet/runtime';
import type { DecisionsConfig } from './config.ts';
import type { Execute } from './execute.ts';
import type { DueAction, OutcomeStore } from './store.ts';

const everyMs = 500;
const dueMax = 200;

/** The clock: deadlines that have passed, and requests that nobody judged. Any number of instances may run it. */
export function startSweep(
  { context, alarm, resources }: ServiceParts,
  store: OutcomeStore,
  execute: Execute,
  { sweepAfterMs }: DecisionsConfig,
): void {
  let sweeping: Promise<void> | undefined;

  async function sweep(): Promise<void> {
    const now = new Date();
    const due = await store.due(now, new Date(now.getTime() - sweepAfterMs), dueMax);
    for (const action of due) await look(action, now);
    context.metrics.openApprovals.set((await store.countOpen()).held);
  }

  /** One action that cannot be decided now must not keep the others waiting. */
  async function look({ agent, actionId }: DueAction, now: Date): Promise<void> {
    try {
      const state = await execute(agent, actionId, { kind: 'look', now, sweepAfterMs });
      if (state.status === 'unknown') await lost({ agent, actionId });
    } catch (error) {
      context.logger.warn(
        { err: error, action: actionId },
        'an action could not be looked at; the next sweep does',
      );
    }
  }

  /** An accepted action that the stream no longer holds: the broker's files were lost, or put back. */
  async function lost({ agent, actionId }: DueAction): Promise<void> {
    await alarm({
      kind: 'action_lost',
      about: causeId(agent, actionId),
      message: `The stream no longer holds ${actionId} of ${agent}, which was never decided. It cannot run.`,
      details: { agent, action_id: actionId },
    });
    const last = (await store.get(actionId))?.events.at(-1)?.seq ?? 0;
    await store.block({ agent, actionId, seq: last + 1 });
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
