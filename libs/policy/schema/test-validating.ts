import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { policySchema } from './policy-schema.ts';

/** Words for editors, which say nothing of what is valid. */
const forEditors = ['patternErrorMessage', 'errorMessage', 'defaultSnippets'];

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
ajv.addVocabulary(forEditors);
const validate = ajv.compile(policySchema);

/** What the schema alone says of a policy. */
export const schemaSaysOf = (text: string): string =>
  validate(parse(text)) ? 'accepted' : ajv.errorsText(validate.errors);
