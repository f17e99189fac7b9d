import { causeId, type ServiceParts } from '@placet/runtime';
import type { DecisionsConfig } from './config.ts';
import { closeApproval, type Execute, informedOf } from './execute.ts';
import type { DueAction, OutcomeStore, OwedAction } from './store.ts';

const everyMs = 500;
/** All that is open is counted for the metric alone. */
const countEveryMs = 5000;
/** As many as may fall due together, and so many of them at a time. */
const dueMax = 2000;
const atOnce = 16;

/**
 * The clock: deadlines that have passed, requests that nobody judged, and what somebody who died still owed. Any
 * number of instances may run it.
 */
export function startSweep(
  { context, bus, alarm, resources }: ServiceParts,
  store: OutcomeStore,
  execute: Execute,
  { sweepAfterMs }: DecisionsConfig,
): void {
  let sweeping: Promise<void> | undefined;
  let countedAt = 0;

  async function sweep(): Promise<void> {
    const now = new Date();
    await inParallel(await store.owed(now, dueMax), (action) => attempt(action, () => finish(action, now)));
    const due = await store.due(now, new Date(now.getTime() - sweepAfterMs), dueMax);
    await inParallel(due, (action) => attempt(action, () => look(action, now)));
    if (Date.now() - countedAt < countEveryMs) return;
    countedAt = Date.now();
    context.metrics.openApprovals.set((await store.countOpen()).held);
  }

  async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const left = items.values();
    const worker = async () => {
      for (const item of left) await work(item);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  /** One action that cannot be decided now must not keep the others waiting. */
  async function attempt({ actionId }: DueAction, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      context.logger.warn(
        { err: error, action: actionId },
        'an action could not be looked at; the next sweep does',
      );
    }
  }

  /** A vote that may decide, a decision that was not told, a forgery that must not stay undecided. */
  async function finish(action: OwedAction, now: Date): Promise<void> {
    const { agent, actionId } = action;
    const state = await execute(agent, actionId, { kind: 'look', now, sweepAfterMs }, { fresh: true });
    if (state.status === 'decided' && state.decided.data.held) {
      await closeApproval(bus, state.decided, informedOf(state));
    }
    await store.settle(action);
  }

  async function look({ agent, actionId }: DueAction, now: Date): Promise<void> {
    const state = await execute(agent, actionId, { kind: 'look', now, sweepAfterMs });
    if (state.status === 'unknown') await lost({ agent, actionId });
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
