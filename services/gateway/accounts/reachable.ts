import {
  type Approver,
  approverText,
  eligibilityOf,
  isAsked,
  isByName,
  isSameEmail,
  type Person,
  type Reachable,
  type ReachableAnswer,
  ReachableQuestion,
  requests,
} from '@placet/events';
import { answer, causeId, type ServiceParts } from '@placet/runtime';
import type * as z from 'zod';
import { readStanding } from '../checks/asked-in-vain.ts';
import type { People } from './people.ts';

/** Each is a message of its own. */
const peopleMax = 500;
const toldMax = 1000;

type Many = { agent: string; action_id: string; count: number };

/** Tells the notifier, which knows nobody, to whom it can bring an approval by name. */
export function answerReachable(parts: ServiceParts, people: People): void {
  const told = new Set<string>();

  answer(parts, requests.reachable, ReachableQuestion, async ({ agent, action_id, informed }) => {
    const asOf = informed ? informedAs(informed) : await askedAs({ agent, actionId: action_id });
    const reachable = people.list().flatMap((person): Reachable[] => {
      const { id, email, name, slack = [], disabled } = person;
      const as = disabled ? [] : [...new Set(asOf(person))];
      return as.length > 0 ? [{ id, email, ...(name === undefined ? {} : { name }), slack, as }] : [];
    });
    const others = informed ? strangersAmong(informed, people.list()) : [];
    const all = [...reachable, ...others];
    const named = all.filter(({ as }) => as.some(isByName));
    if (named.length > peopleMax) await tellOfMany({ agent, action_id, count: named.length });
    // A place tells whoever is not named.
    const rest = all.filter((one) => !named.includes(one));
    return { people: [...named, ...rest].slice(0, peopleMax) } satisfies z.input<typeof ReachableAnswer>;
  });

  /** Once: each look at the approval asks who its people are. */
  async function tellOfMany({ agent, action_id, count }: Many): Promise<void> {
    if (told.has(action_id)) return;
    if (told.size >= toldMax) told.clear();
    told.add(action_id);
    await parts.alarm({
      kind: 'too_many_asked',
      about: causeId('too many asked', action_id),
      message: `${action_id} of ${agent} asks ${count} people by name or role, and ${peopleMax} of them are told: ask a channel, or fewer.`,
      details: { action_id, agent },
    });
  }

  /** As whom somebody may vote now. */
  async function askedAs(action: { agent: string; actionId: string }): Promise<(person: Person) => string[]> {
    const standing = await readStanding(parts.context, action);
    if (!standing) return () => [];
    return (person) => eligibilityOf(standing, person).flatMap((place) => place?.as ?? []);
  }
}

/** The owner of an agent need not be a person here, and is told by mail all the same. */
function strangersAmong(informed: readonly Approver[], known: readonly Person[]): Reachable[] {
  return informed.flatMap((approver): Reachable[] => {
    const isNew = approver.kind === 'user' && !known.some(({ email }) => isSameEmail(email, approver.email));
    return isNew ? [{ id: '', email: approver.email, slack: [], as: [approverText(approver)] }] : [];
  });
}

/** A channel is told as a place, and not each of those who may vote there. */
function informedAs(informed: readonly Approver[]): (person: Person) => string[] {
  const named = informed.filter(({ kind }) => kind === 'user' || kind === 'role');
  return (person) => named.filter((approver) => isAsked(approver, person)).map(approverText);
}
