import { conditionCharsMax } from '../cel/bounds.ts';
import { ruleGrammar } from '../grammar.ts';
import { reasonCharsMax, validForMs } from '../limits.ts';
import { decides } from '../readers.ts';
import { askingSchemas } from './asking.ts';
import { between, expression, glob, mapOf, type Schema, span, text, word } from './forms.ts';
import { redactSchema } from './payload-parts.ts';
import { ruleConditions } from './rule-conditions.ts';

/** The line breaks at its end do not count, which a bound on its length could not say. */
const reason = text('What agents and people are told.', {
  pattern: `^[\\s\\S]{0,${reasonCharsMax - 1}}\\S\\s*$`,
  patternErrorMessage: `expected a text of at most ${reasonCharsMax} characters`,
  maxLength: undefined,
});

const told = (what: string): Schema =>
  glob(`A pattern over ${what}. What was not told matches nothing, and an agent can leave it out.`);

export const ruleSchema: Schema = mapOf(
  ruleGrammar,
  'The first rule that matches decides.',
  {
    name: text('How the rule is called in answers. Absent: "rule for ACTION". A limit or a budget needs it.'),
    action: glob(
      'The name of an action, or a pattern. * stands for any characters, dots included, or none. One that begins with * needs quotes: "*".',
      { examples: ['refund.*', '*'] },
    ),
    tool: told('the tool that the agent told'),
    server: told('the server that the agent told'),
    acting_agent: told('the agent that acts, where that is another one'),
    on_behalf_of: told('the person for whom the agent acts'),
    tags: told('the tags that the agent told, of which one has to match'),
    schedule: { $ref: '#/definitions/schedule' },
    when: expression(
      'A condition in CEL over payload, agent, action, context, lists and now: the rule matches only when it holds.',
      conditionCharsMax,
      { examples: ['payload.amount < 50', 'agent.id == "support"'] },
    ),
    decide: word('What becomes of an action that the rule matches.', decides),
    ...askingSchemas,
    valid_for: span(`How long the permission lasts, ${between(validForMs)}; for allow too.`, validForMs, {
      examples: ['10m'],
    }),
    reason,
    limit: { $ref: '#/definitions/limit' },
    budget: { $ref: '#/definitions/budget' },
    redact: redactSchema,
  },
  {
    ...ruleConditions,
    defaultSnippets: [
      { label: 'a rule that allows', body: { action: '$1', decide: 'allow' } },
      {
        label: 'a rule that allows a few',
        body: { name: '$1', action: '$2', decide: 'allow', limit: { count: 10, per: '1h' } },
      },
      {
        label: 'a rule that asks people',
        body: { action: '$1', decide: 'require_approval', approvers: ['role:$2'], timeout: '1h' },
      },
      { label: 'a rule that denies', body: { action: '$1', decide: 'deny', reason: '$2' } },
    ],
  },
);
