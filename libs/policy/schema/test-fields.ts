import { testGrammar } from '../grammar.ts';
import { tagsMax } from '../limits.ts';
import { momentForm } from '../policy-tests.ts';
import { decides } from '../readers.ts';
import { form, glob, mapOf, type Schema, text, word } from './forms.ts';

const told = (what: string): Schema => text(`${what} that the agent told.`);

export const testSchema: Schema = mapOf(
  testGrammar,
  'A request, and what this policy decides of it. The policy is refused when it does not keep that.',
  {
    name: text('How the test is called.'),
    action: glob('The name of the action.', { examples: ['refund.create'] }),
    payload: { type: 'object', description: 'The arguments: { amount: 49.99 }. Absent: none.' },
    agent: text('Who asks. Absent: nobody that a rule would know.'),
    owner: text('The owner of the agent that asks. Absent: nobody that a rule would know.', {
      examples: ['ann@example.com'],
    }),
    tool: told('The tool'),
    server: told('The server'),
    acting_agent: told('The agent that acts'),
    on_behalf_of: told('For whom it acts: what'),
    case: told('The case'),
    run: told('The run'),
    priority: told('The priority'),
    tags: {
      type: 'array',
      maxItems: tagsMax,
      items: { type: 'string' },
      description: 'The tags that the agent told: [eu, critical].',
    },
    now: form(
      'The moment. Absent: a Monday at noon, UTC.',
      'a moment, as "2026-03-02T10:00:00Z"',
      momentForm,
      { examples: ['2026-03-02T10:00:00Z'] },
    ),
    spent: text('The name of a rule whose limit and budget are used up then. Absent: all have room.'),
    expect: word('What the policy decides.', decides),
  },
  {
    defaultSnippets: [
      { label: 'a test', body: { name: '$1', action: '$2', payload: {}, expect: 'require_approval' } },
    ],
  },
);
