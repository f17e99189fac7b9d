import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { catalogue, entryOf, eventTypes } from './catalogue.ts';
import { consumers, eventStreamRules } from './streams.ts';
import {
  anyAgentsFilters,
  eventRoot,
  historyFilter,
  liveRoot,
  liveSubject,
  noteFilter,
  parseSubject,
  storedSubject,
  subjectFor,
  typeFilter,
} from './subjects.ts';
import { actionIds, agentNames, natsMatches, sampleData, suffixesOf, types } from './test-events.ts';

/** An event of any type of the catalogue at the subject that it gets. */
const placed = types.chain((type) =>
  fc.record({ agent: agentNames, action: actionIds, suffix: suffixesOf(type) }).map((at) => {
    const subject = subjectFor(type, sampleData(type, at.agent, at.action), at.suffix);
    return { type, ...at, subject };
  }),
);

test('a subject says again what it was made of, for every type of the catalogue', () => {
  fc.assert(
    fc.property(placed, ({ type, agent, action, suffix, subject }) => {
      const end = suffix === undefined ? null : String(suffix);
      const { root } = entryOf(type);
      expect(parseSubject(subject)).toEqual(
        root === 'sys' ? { root, type, suffix: end } : { root, agent, action, type, suffix: end },
      );
    }),
    { numRuns: 500 },
  );
});

test("two events share a subject only when they share all of it: an event's place is its own", () => {
  fc.assert(
    fc.property(placed, placed, (one, other) => {
      if (one.subject !== other.subject) return;
      const { subject: _, ...ofOne } = one;
      const { subject: __, ...ofOther } = other;
      if (entryOf(one.type).root !== 'sys') expect(ofOne).toEqual(ofOther);
    }),
  );
});

test('the filter of a type finds its events, and no other type', () => {
  fc.assert(
    fc.property(placed, ({ type, subject }) => {
      const found = eventTypes.filter((other) => natsMatches(typeFilter(other), subject));
      expect(found).toEqual([type]);
    }),
  );
});

test("an action's history is all that bears on its decision, and nothing of another action or agent", () => {
  fc.assert(
    fc.property(placed, actionIds, agentNames, ({ type, agent, action, subject }, otherId, otherAgent) => {
      const isAct = entryOf(type).root === 'act';
      expect(natsMatches(historyFilter(agent, action), subject)).toBe(isAct);
      expect(natsMatches('placet.act.>', subject)).toBe(isAct);
      if (otherId !== action) expect(natsMatches(historyFilter(agent, otherId), subject)).toBe(false);
      if (otherAgent !== agent) expect(natsMatches(historyFilter(otherAgent, action), subject)).toBe(false);
    }),
  );
});

test('without its agent an action is found by its id: what bears on its decision, its execution and its comments', () => {
  fc.assert(
    fc.property(placed, ({ type, action, subject }) => {
      const notes = ['action.executed', 'approval.commented'];
      const wanted = entryOf(type).root === 'act' || notes.includes(type);
      expect(anyAgentsFilters(action).some((filter) => natsMatches(filter, subject))).toBe(wanted);
    }),
  );
});

test('the filter of a note finds that note of that action', () => {
  fc.assert(
    fc.property(placed, ({ type, agent, action, subject }) => {
      const filter = noteFilter('action.executed', agent, action);
      expect(natsMatches(filter, subject)).toBe(type === 'action.executed');
    }),
  );
});

test('the stream takes every event, and its live copy leads back to the stored subject', () => {
  fc.assert(
    fc.property(placed, ({ subject }) => {
      expect(eventStreamRules.subjects.filter((filter) => natsMatches(filter, subject))).toHaveLength(1);
      expect(natsMatches(eventStreamRules.republish.src, subject)).toBe(true);
      const live = liveSubject(subject);
      expect(natsMatches(eventStreamRules.republish.dest, live)).toBe(true);
      expect(natsMatches(`${eventRoot}.>`, live)).toBe(false);
      expect(live.startsWith(`${liveRoot}.`)).toBe(true);
      expect(storedSubject(live)).toBe(subject);
    }),
  );
});

test('the consumers ask for events that exist', () => {
  for (const { filters } of Object.values(consumers)) {
    for (const filter of filters) {
      const asked = eventTypes.filter((type) => {
        const suffix = catalogue[type].suffix === 'none' ? undefined : 1;
        const data = sampleData(type, 'support', `act_${'0'.repeat(32)}`);
        return natsMatches(filter, subjectFor(type, data, suffix));
      });
      expect(asked, filter).not.toEqual([]);
    }
  }
});

const action = `act_${'0'.repeat(32)}`;

test.each([
  '',
  'placet',
  'placet.act',
  'placet.act.support',
  `placet.act.support.${action}`,
  `placet.act.support.${action}.action`,
  `placet.act.support.${action}.action.requested.1`,
  `placet.act.support.${action}.action.invented`,
  `placet.act.support.${action}.approval.voted`,
  `placet.act.support.${action}.approval.voted.`,
  `placet.act.support.${action}.approval.voted.1.2`,
  `placet.act.support.${action}.approval.commented.1`,
  `placet.act..${action}.action.requested`,
  'placet.act.support..action.requested',
  `placet.act.Support.${action}.action.requested`,
  `placet.act.sup port.${action}.action.requested`,
  `placet.act.*.${action}.action.requested`,
  'placet.act.support.*.action.requested',
  'placet.act.support.>.action.requested',
  `placet.act.${'a'.repeat(65)}.${action}.action.requested`,
  `placet.note.support.${action}.action.requested`,
  `placet.note.support.${action}.approval.commented.`,
  'placet.sys.alarm.raised',
  'placet.sys.alarm.raised.',
  'placet.sys.action.requested',
  `placet.sys.support.${action}.alarm.raised.1`,
  `placet.odd.support.${action}.action.requested`,
  `Placet.act.support.${action}.action.requested`,
  `placetlive.act.support.${action}.action.requested`,
  `placet.act.support.${action}.__proto__.x`,
  `placet.act.support.${action}.toString`,
])('no event lies under the subject "%s"', (subject) => {
  expect(parseSubject(subject)).toBeNull();
});

test.each(['', 'a.b', '*', '>', 'a b', 'ä', 'a\r\nb', '$JS'])(
  '"%s" cannot become part of a subject',
  (hostile) => {
    const data = { agent: 'support', action_id: action };
    expect(() => subjectFor('action.requested', { ...data, action_id: hostile })).toThrow(/token/);
    expect(() => subjectFor('action.requested', { ...data, agent: hostile })).toThrow(/token/);
    expect(() => subjectFor('approval.commented', data, hostile)).toThrow(/token/);
    expect(() => subjectFor('alarm.raised', {}, hostile)).toThrow(/token/);
  },
);

test('a type that needs a number or an id gets no subject without it', () => {
  const data = { agent: 'support', action_id: action };
  expect(() => subjectFor('approval.voted', data)).toThrow(/token/);
  expect(() => subjectFor('approval.commented', data)).toThrow(/token/);
  expect(() => subjectFor('action.requested', { agent: 'support' })).toThrow(/token/);
});
