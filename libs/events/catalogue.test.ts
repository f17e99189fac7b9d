import { expect, test } from 'vitest';
import * as z from 'zod';
import { catalogue, entryOf, eventTypes, isEventType } from './catalogue.ts';
import { services } from './names.ts';
import { sampleData } from './test-events.ts';

test.each(eventTypes)('%s has a root, an emitter, a sentence and a schema', (type) => {
  const entry = entryOf(type);
  expect(['act', 'note', 'sys']).toContain(entry.root);
  expect(['none', 'number', 'id']).toContain(entry.suffix);
  expect(entry.emitters.length).toBeGreaterThan(0);
  for (const emitter of entry.emitters) expect(services).toContain(emitter);
  expect(entry.about).toMatch(/^[A-Z].*\.$/);
  expect(z.toJSONSchema(entry.data, { unrepresentable: 'throw' })).toBeTypeOf('object');
});

test.each(eventTypes)('%s takes what it is made for and refuses a body of nothing', (type) => {
  const { data } = entryOf(type);
  const sample = sampleData(type, 'support', `act_${'0'.repeat(32)}`);
  expect(data.safeParse(sample).error?.message).toBeUndefined();
  expect(data.safeParse({}).success).toBe(false);
});

test('every event about an action names its agent and the action, or the grant', () => {
  for (const type of eventTypes.filter((t) => catalogue[t].root !== 'sys')) {
    const sample = sampleData(type, 'support', `act_${'0'.repeat(32)}`) as Record<string, unknown>;
    const { agent: _, ...anonymous } = sample;
    expect(entryOf(type).data.safeParse(anonymous).success).toBe(false);
    const { action_id: __, grant: ___, ...aboutNothing } = sample;
    expect(entryOf(type).data.safeParse(aboutNothing).success).toBe(false);
  }
});

test('an allowed decision says until when it holds', () => {
  const denied = sampleData('action.decided', 'support', `act_${'0'.repeat(32)}`);
  expect(catalogue['action.decided'].data.safeParse({ ...denied, decision: 'allowed' }).success).toBe(false);
});

test('what stands on every object is no type of event', () => {
  for (const name of ['toString', '__proto__', 'constructor', 'hasOwnProperty', '']) {
    expect(isEventType(name)).toBe(false);
  }
});
