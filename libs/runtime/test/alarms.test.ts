import { releaseAfterEach, startTestBus, startTestNats, testSealer } from '@placet/testing';
import { expect, test } from 'vitest';
import { createAlarms } from '../alarms.ts';
import { createLogger } from '../logger.ts';
import { startBus, systemEvents } from './support.ts';

releaseAfterEach();

const alarm = { kind: 'wrong_seal', about: 'PLACET/7', message: 'A wrong seal.' } as const;

test('Nothing vanishes: an alarm is an event, a metric and a line in the log', async () => {
  const b = await startBus();
  const lines: string[] = [];
  const logger = createLogger({ level: 'error', destination: { write: (line) => void lines.push(line) } });
  await createAlarms({ ...b.context, logger }, b.bus, b.resources)({ ...alarm, details: { bucket: 'x' } });
  const events = await systemEvents(b, 'alarm.raised');
  expect(events.map(({ source, data }) => ({ source, ...data }))).toEqual([
    { source: 'placet/decisions', ...alarm, details: { bucket: 'x' } },
  ]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { alarm: 'wrong_seal', msg: 'A wrong seal.' },
  ]);
  const metric = await b.context.metrics.registry.getSingleMetricAsString('placet_alarms_total');
  expect(metric).toContain('placet_alarms_total{kind="wrong_seal"} 1');
});

test('one cause is one event, however often and by whomever it is seen', async () => {
  const server = await startTestNats();
  const sealer = testSealer();
  const [one, other] = [
    await startTestBus(server, { service: 'gateway', sealer }),
    await startTestBus(server, { service: 'policy', sealer }),
  ];
  await Promise.all([one.alarm(alarm), other.alarm(alarm), one.alarm({ ...alarm, message: 'Other words.' })]);
  expect(await systemEvents(one, 'alarm.raised')).toHaveLength(1);
});

test('other causes are other events', async () => {
  const b = await startBus();
  await b.alarm(alarm);
  await b.alarm({ ...alarm, about: 'PLACET/8' });
  await b.alarm({ ...alarm, kind: 'events_missed' });
  expect(await systemEvents(b, 'alarm.raised')).toHaveLength(3);
});

test('an alarm that cannot be stored is a line in the log, and throws at nobody', async () => {
  const b = await startBus({ maxBytes: 1 });
  const lines: string[] = [];
  const logger = createLogger({ level: 'error', destination: { write: (line) => void lines.push(line) } });
  await createAlarms({ ...b.context, logger }, b.bus, b.resources)(alarm);
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'A wrong seal.',
    'an alarm could not be stored; trying again',
  ]);
});
