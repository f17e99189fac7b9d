import {
  eligibilityOf,
  type Reachable,
  type ReachableAnswer,
  ReachableQuestion,
  requests,
} from '@placet/events';
import { answer, type ServiceParts } from '@placet/runtime';
import type * as z from 'zod';
import { readStanding } from '../checks/asked-in-vain.ts';
import type { People } from './people.ts';

/** Each is a message of its own. */
const peopleMax = 200;

/** Tells the notifier, which knows nobody, to whom it can bring an approval by name. */
export function answerReachable(parts: ServiceParts, people: People): void {
  answer(parts, requests.reachable, ReachableQuestion, async ({ agent, action_id }) => {
    const standing = await readStanding(parts.context, { agent, actionId: action_id });
    const reachable =
      standing === null
        ? []
        : people.list().flatMap((person): Reachable[] => {
            const { id, email, name, slack = [], roles, disabled } = person;
            const as = disabled
              ? []
              : eligibilityOf(standing, { id, email, roles }).flatMap((place) => place?.as ?? []);
            return as.length === 0
              ? []
              : [{ id, email, ...(name === undefined ? {} : { name }), slack, as: [...new Set(as)] }];
          });
    return { people: reachable.slice(0, peopleMax) } satisfies z.input<typeof ReachableAnswer>;
  });
}
