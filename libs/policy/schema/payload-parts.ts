import { nameForm } from '@placet/events';
import { hiddenGrammar } from '../grammar.ts';
import { approversMax, editableMax, redactMax } from '../limits.ts';
import { pathForm } from '../paths.ts';
import { form, listOf, mapOf, type Schema } from './forms.ts';

const path = form(
  'A part of the payload. It goes through the elements of lists.',
  'a path into the payload, as payload.card_number',
  pathForm,
  { examples: ['payload.card_number'] },
);

export const hiddenSchema: Schema = mapOf(
  hiddenGrammar,
  'A part of the payload that only some are shown: { path: payload.card, except: ["role:fraud"] }.',
  {
    path,
    except: listOf(
      'The roles that are shown what stands there.',
      form('A role.', 'a role, as "role:fraud"', new RegExp(`^role:${nameForm.source.slice(1, -1)}$`), {
        examples: ['role:fraud'],
      }),
      { min: 1, max: approversMax, distinct: true },
    ),
  },
);

export const redactSchema: Schema = listOf(
  'Parts of the payload that nobody is shown who is asked: [payload.card, payload.items.pin].',
  { anyOf: [path, { $ref: '#/definitions/hidden' }] },
  { min: 1, max: redactMax },
);

export const editableSchema: Schema = listOf(
  'Parts of the payload that who is asked may change: [payload.amount]. What is hidden cannot be changed.',
  path,
  { min: 1, max: editableMax },
);
