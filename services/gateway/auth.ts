import type { Agent, Person } from '@placet/events';
import { parseCredential } from '@placet/proof';
import { Refusal } from '@placet/runtime';
import type { FastifyRequest } from 'fastify';
import type { Agents } from './accounts/agents.ts';
import type { People } from './accounts/people.ts';

export type Auth = ReturnType<typeof createAuth>;

/** Who calls, from the credential alone. Agents' keys and people's tokens never open each other's routes. */
export function createAuth(agents: Agents, people: People) {
  const callingAgents = new WeakMap<FastifyRequest, Agent>();
  const callingPeople = new WeakMap<FastifyRequest, Person>();

  return {
    async agentsOnly(request: FastifyRequest): Promise<void> {
      const text = bearer(request);
      const agent = agents.authenticate(text, new Date());
      if (agent) callingAgents.set(request, agent);
      else
        refuse(
          people.authenticate(text, new Date()) !== null,
          "This route takes an agent's key, not a person's token.",
        );
    },

    async peopleOnly(request: FastifyRequest): Promise<void> {
      const text = bearer(request);
      const person = people.authenticate(text, new Date());
      if (person) callingPeople.set(request, person);
      else
        refuse(
          agents.authenticate(text, new Date()) !== null,
          "This route takes a person's token, not an agent's key.",
        );
    },

    agentOf: (request: FastifyRequest): Agent => present(callingAgents.get(request)),
    personOf: (request: FastifyRequest): Person => present(callingPeople.get(request)),

    /** The person, if it has one of the roles. */
    withRole(request: FastifyRequest, ...roles: string[]): Person {
      const person = present(callingPeople.get(request));
      if (person.roles.some((role) => roles.includes(role))) return person;
      throw new Refusal('FORBIDDEN', {
        message: `This needs the role ${roles.join(' or ')}, which you do not have.`,
      });
    },
  };
}

/** What limits are counted by: the look-up id of the credential. */
export function credentialId(request: FastifyRequest): string {
  return parseCredential(bearer(request))?.id ?? 'unknown';
}

function bearer(request: FastifyRequest): string {
  const match = /^Bearer +(\S{1,200}) *$/i.exec(request.headers.authorization ?? '');
  if (!match?.[1]) throw new Refusal('MISSING_TOKEN');
  return match[1];
}

function refuse(isOtherKind: boolean, message: string): never {
  throw isOtherKind ? new Refusal('WRONG_CREDENTIAL', { message }) : new Refusal('INVALID_API_KEY');
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a route asked who calls without authenticating');
  return value;
}
