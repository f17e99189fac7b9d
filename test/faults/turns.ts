import type { Random } from './random.ts';
import { bounds, emailOf } from './world.ts';

/** What somebody does about an approval. Who is stale names the payload that was asked for at first. */
export type Act = { who: string } & (
  | { does: 'vote'; vote: 'approve' | 'reject'; isStale: boolean }
  | { does: 'edit'; changes: Record<string, unknown>; isStale: boolean }
  | { does: 'hand on'; to: readonly string[] }
  | { does: 'comment' }
  | { does: 'look' }
);

/** Those of one list act at the same time, the lists one after another. `afterMs` is since people were asked. */
export type Turn = readonly Act[] | { afterMs: number };
type Turns = readonly Turn[];

const approves = (name: string, isStale = false): Act => {
  return { who: emailOf(name), does: 'vote', vote: 'approve', isStale };
};
const rejects = (name: string): Act => {
  return { who: emailOf(name), does: 'vote', vote: 'reject', isStale: false };
};
const handsOn = (name: string, ...to: string[]): Act => {
  return { who: emailOf(name), does: 'hand on', to: to.map(emailOf) };
};
const comments = (name: string): Act => ({ who: emailOf(name), does: 'comment' });
const looks = (name: string): Act => ({ who: emailOf(name), does: 'look' });
const changes = (name: string, amount: number, isStale = false): Act => {
  return { who: emailOf(name), does: 'edit', changes: { 'payload.amount': amount }, isStale };
};
const forges = (name: string): Act => {
  return { who: emailOf(name), does: 'edit', changes: { 'payload.of': name }, isStale: false };
};
const nobody: Turns = [];

/** Who does what about an action that is held. */
export function turnsOn(actionName: string, random: Random): Turns {
  switch (actionName) {
    case 'wire.send':
      return turnsOnWire(random);
    case 'order.place':
      return turnsOnOrder(random);
    case 'restart.service':
      return turnsOnRestart(random);
    default:
      return turnsOnRefund(random);
  }
}

function turnsOnRefund(random: Random): Turns {
  const [one, other] = three(random.shuffled(['ana', 'ben', 'abe']));
  return random.pick<Turns>([
    [[approves(one)]],
    [[approves(one), comments(other)]],
    [[rejects(one)]],
    [[approves(one), rejects(other)]],
    [[approves('out'), approves('tia')], [approves(one)]],
    [[approves(one), approves(other)]],
    [[handsOn(one, 'sub')], [approves(one)], [approves('sub')]],
    [[handsOn(one, 'sub'), approves(one)], [approves('sub')]],
    [[changes(one, amountsFrom(random).one())], [approves(other)]],
    nobody,
  ]);
}

function turnsOnWire(random: Random): Turns {
  const treasurer = random.pick(['tia', 'tom']);
  const controller = random.pick(['cem', 'cho']);
  return random.pick<Turns>([
    [[approves(treasurer), approves(controller)]],
    [[approves(controller)], [approves(treasurer)]],
    [[approves(treasurer)], [rejects(controller)]],
    [[approves('tia'), approves('tom')]],
    [[approves('out'), approves('ana'), approves(treasurer)]],
    [[handsOn(treasurer, 'sub')], [approves('sub'), approves(controller)]],
    [[approves(treasurer)], [handsOn(treasurer, 'sub')], [approves(controller)], [approves('sub')]],
    [[handsOn(treasurer, 'sub'), handsOn(controller, 'sue')], [approves('sue')], [approves('sub')]],
    nobody,
  ]);
}

/** One of the three approvers changes it, which keeps that one out, or hands a place on. */
function turnsOnOrder(random: Random): Turns {
  const [one, other, third] = three(random.shuffled(['ana', 'ben', 'abe']));
  const { small, one: more, two, denied } = amountsFrom(random);
  const both = [approves(other), approves(third)];
  return random.pick<Turns>([
    [[changes(one, more())], [approves(other)]],
    [[changes(one, two())], [approves(one)], both],
    [[approves(other)], [changes(one, two())], [approves(third)], [approves(other)]],
    [[changes(one, more()), changes(other, two())], [looks(third)], [approves(third)], [approves(other)]],
    [[changes(one, more()), approves(other), approves(third)], [looks(other)], both],
    [[changes(one, two())], [changes(other, more(), true)], [approves(other, true)], both],
    [[changes(one, more())], [changes(other, two())], [approves(third)], [approves(one)]],
    [[changes(one, denied())], [approves(other)]],
    [[changes(one, small())], [looks(other)], [approves(one)], both],
    [[changes(one, small()), approves(other)], [changes(other, more())], [approves(third)]],
    [[forges(one), changes('out', more())], both],
    [[handsOn(one, 'sub')], [approves(one), approves('sub')], [approves(other)]],
    [[handsOn(one, 'sub')], [handsOn(one, one)], [approves('sub')], [approves(one), approves(other)]],
    [[approves(one)], [handsOn(one, 'sub')], [approves(other)], [approves('sub')]],
    [[handsOn(one, 'sub')], [handsOn('sub', 'sue')], [approves('sub'), approves('sue')], [approves(other)]],
    [[handsOn(one, 'sub', 'sue')], [approves('sub'), approves('sue')], [comments(other), approves(other)]],
    [[handsOn(one, 'sub')], [changes('sub', more())], [approves('sub')], [approves(one)], [approves(other)]],
    [[handsOn(one, 'sub'), changes(other, more())], [approves('sub')], [approves(third)]],
    [[handsOn('out', 'sub'), approves(one)], [rejects(other)]],
    [[approves(one)], both],
    nobody,
  ]);
}

/** It asks two people, others beside them after one second, and others instead of them after two. */
function turnsOnRestart(random: Random): Turns {
  const [first, second] = random.shuffled(['oda', 'oli']) as [string, string];
  const lead = random.pick(['lea', 'lou']);
  const manager = random.pick(['mia', 'max']);
  const { small, one: more, denied } = amountsFrom(random);
  const [besideMs, insteadMs] = [{ afterMs: 1400 }, { afterMs: 2500 }];
  return random.pick<Turns>([
    [[approves(first), approves(second)]],
    [[approves(first), approves(lead)], besideMs, [approves(lead)]],
    [[approves(first)], insteadMs, [approves(second)], [approves(manager)]],
    [insteadMs, [approves('mia'), approves('max'), approves(first)]],
    [[changes(first, more())], besideMs, [approves(first), approves(lead)]],
    [besideMs, [changes(lead, more())], [approves(first)], insteadMs, [approves(manager), approves(lead)]],
    [insteadMs, [changes(manager, more())], [approves(first)], [approves('mia'), approves('max')]],
    [[changes(first, small())], [approves(first)], insteadMs, [approves(second), approves(manager)]],
    [besideMs, [changes(lead, denied())]],
    [besideMs, [handsOn(lead, 'sub')], [approves(lead), approves('sub')], insteadMs, [approves(manager)]],
    [[handsOn(first, 'sub')], insteadMs, [approves('sub')], [approves(manager)]],
    [[handsOn(first, first)], insteadMs, [approves(first)], [approves(manager)]],
    [[approves(first)], besideMs, [rejects(lead)]],
    nobody,
    nobody,
  ]);
}

const three = (names: string[]) => names as [string, string, string];

/** Amounts that no agent asks for, and none of them twice. */
function amountsFrom(random: Random) {
  const drawn = new Set<number>();
  const between = (from: number, to: number) => () => {
    for (;;) {
      const amount = random.between(from + 1, to - 1) + 0.5;
      if (!drawn.has(amount)) {
        drawn.add(amount);
        return amount;
      }
    }
  };
  return {
    small: between(0, bounds.people),
    one: between(bounds.people, bounds.two),
    two: between(bounds.two, bounds.denied),
    denied: between(bounds.denied, 1000),
  };
}
