import { ActionId } from '@placet/events';
import { Refusal } from '@placet/runtime';

/** What has not the form of an id is an id that nobody has. */
export function knownForm(id: string, code: 'ACTION_NOT_FOUND' | 'NOT_FOUND' = 'ACTION_NOT_FOUND'): string {
  if (ActionId.safeParse(id).success) return id;
  throw new Refusal(code, { message: 'Nothing here has this id.' });
}
