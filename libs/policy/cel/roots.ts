import type { Kind } from './kinds.ts';

/** What a condition can speak of. Of all but the payload the fields are known. */
export const roots: Readonly<Record<string, Kind | Readonly<Record<string, Kind>>>> = {
  payload: 'json',
  agent: { id: 'string', owner: 'string' },
  action: { name: 'string' },
  context: {
    reasoning: 'string',
    acting_agent: 'string',
    handoffs: 'list',
    on_behalf_of: 'string',
    run: 'string',
    case: 'string',
    tool: 'string',
    server: 'string',
    tags: 'list',
    priority: 'string',
    excerpt: 'list',
  },
  now: 'timestamp',
};
