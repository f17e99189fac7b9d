import { headers } from '@nats-io/transport-node';
import { configBuckets } from '@placet/events';
import { releaseAfterEach, startTestBus, startTestNats } from '@placet/testing';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { openConfigStore } from '../config-store.ts';
import { Unavailable } from '../errors.ts';
import { findHistory, readHistory, readHistoryFromLeader } from '../history.ts';
import { agent, commented, newAction, requested } from './support.ts';

releaseAfterEach();

test('Fail closed: without a broker nothing is stored, conflicting or absent: it is Unavailable, in bounded time', async () => {
  const server = await startTestNats();
  const { bus, alarm, context, resources } = await startTestBus(server);
  const bucket = { bucket: configBuckets.agents, schema: z.string() };
  const store = await openConfigStore(context, alarm, resources, bucket);
  const [action, other] = [newAction(), newAction()];
  await bus.append(requested(action), { version: 0 });
  await server.stop();

  const asked: Record<string, Promise<unknown>> = {
    append: bus.append(requested(other), { version: 0 }),
    note: bus.note(commented(action, 'hm'), 'c1'),
    readHistory: readHistory(context, agent, action),
    readHistoryFromLeader: readHistoryFromLeader(context, agent, action),
    findHistory: findHistory(context, action),
    put: store.put('support', 'x', { by: 'test', expected: 0 }),
  };
  for (const [name, answer] of Object.entries(asked)) {
    await expect(answer, name).rejects.toBeInstanceOf(Unavailable);
  }
  const metrics = await context.metrics.registry.getSingleMetricAsString('placet_appends_total');
  expect(metrics).toContain('placet_appends_total{type="action.requested",result="failed"} 1');
});

test('Fail closed: an answer of the broker that breaks off in the middle is Unavailable, not half a history', async () => {
  const server = await startTestNats();
  const { context } = await startTestBus(server);
  await context.jsm.streams.delete('PLACET');
  // The stream is gone; this answers in its place, with the first of two messages.
  const subscription = context.nc.subscribe('$JS.API.DIRECT.GET.PLACET', {
    callback: (_error, message) => {
      const h = headers();
      h.set('Nats-Stream', 'PLACET');
      h.set('Nats-Subject', `placet.act.support.${newAction()}.action.requested`);
      h.set('Nats-Sequence', '1');
      h.set('Nats-Num-Pending', '1');
      message.respond('{}', { headers: h });
    },
  });
  await expect(readHistory(context, agent, newAction())).rejects.toBeInstanceOf(Unavailable);
  subscription.unsubscribe();
});

test('Fail closed: whether another was faster cannot be read, so nothing is said about it', async () => {
  const server = await startTestNats();
  const [{ bus, context }, away] = [await startTestBus(server), await startTestBus(server)];
  const action = newAction();
  await bus.append(requested(action), { version: 0 });
  await away.resources.close();
  context.jsm = away.context.jsm;
  await expect(bus.append(requested(action), { version: 0 })).rejects.toBeInstanceOf(Unavailable);
});
