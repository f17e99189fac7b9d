import { audienceKeysOf, type Person } from '@placet/events';
import { Refusal } from '@placet/runtime';

/** Who asks, as the other services are told. */
export function voterOf(person: Person) {
  const { id, email, name, roles } = person;
  return { id, email, ...(name === undefined ? {} : { name }), roles };
}

/** Under which names a person can be asked. Administrators and auditors see everything. */
export function audienceOf(person: Person): string[] | null {
  if (person.roles.includes('admin') || person.roles.includes('auditor')) return null;
  return audienceKeysOf(person);
}

/** The part of it that somebody wants to see: what waits for them, or for a role. */
export function audienceFor(person: Person, wanted: string | undefined): string[] | null {
  if (wanted === undefined) return audienceOf(person);
  if (wanted === 'me') return audienceKeysOf(person);
  if (audienceOf(person) === null || audienceKeysOf(person).includes(wanted)) return [wanted];
  throw new Refusal('FORBIDDEN', {
    message: `You have not the ${wanted.replace(':', ' ')}. Ask for what waits for "me".`,
  });
}
