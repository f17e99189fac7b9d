import type { AnswerSchema } from '@placet/events';
import { parseJson } from '@placet/proof';
import { type Html, html } from './html.ts';

export type Form = Readonly<Record<string, string>>;

type Simple = Exclude<AnswerSchema, { type: 'object' | 'array' }>;
const isSimple = (schema: AnswerSchema): schema is Simple =>
  schema.type !== 'object' && schema.type !== 'array';

/** Each field of an object that is flat enough for a form; null where an answer is written as JSON. */
function fieldsOf(schema: AnswerSchema): [name: string, field: Simple, isRequired: boolean][] | null {
  if (isSimple(schema)) return [['', schema, true]];
  if (schema.type !== 'object') return null;
  const fields = Object.entries(schema.properties);
  return fields.every(([, field]) => isSimple(field))
    ? fields.map(([name, field]) => [name, field as Simple, schema.required?.includes(name) ?? false])
    : null;
}

const nameOf = (field: string) => `answer.${field}`;

/** What the agent asks, as fields of a form. */
export function answerFields(schema: AnswerSchema, form: Form): Html {
  const fields = fieldsOf(schema);
  if (!fields) {
    return html`<label for="answer">Your answer, as JSON</label>
${described(schema)}<details><summary>The form that it has to have</summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>
<textarea class="code" id="answer" name="answer">${form['answer'] ?? ''}</textarea>`;
  }
  return html`${fields.map(([name, field, isRequired]) => {
    const label = field.title ?? (name === '' ? 'Your answer' : name);
    return html`<label for="${nameOf(name)}">${label}${!isRequired && html` <span class="soft">(optional)</span>`}</label>
${described(field)}${inputOf(field, nameOf(name), form[nameOf(name)] ?? '')}`;
  })}`;
}

const described = ({ description }: AnswerSchema) =>
  description !== undefined && html`<p class="soft">${description}</p>`;

function inputOf(field: Simple, name: string, value: string): Html {
  const options = field.type === 'boolean' ? [true, false] : field.enum;
  if (options) {
    const choices = options.map((option, n) => {
      const word = field.type === 'boolean' ? (option ? 'yes' : 'no') : String(option);
      return html`<option value="${n}"${value === String(n) && html` selected`}>${word}</option>`;
    });
    return html`<select id="${name}" name="${name}"><option value="">choose</option>${choices}</select>`;
  }
  if (field.type === 'string') {
    return field.format === undefined
      ? html`<textarea id="${name}" name="${name}">${value}</textarea>`
      : html`<input type="${field.format === 'date' ? 'date' : 'text'}" id="${name}" name="${name}" value="${value}">`;
  }
  return html`<input type="text" inputmode="decimal" id="${name}" name="${name}" value="${value}">`;
}

/** What a form says, as the schema wants it; what cannot be read is left as it is, to be refused in words. */
export function answerIn(schema: AnswerSchema, form: Form): unknown {
  const fields = fieldsOf(schema);
  if (!fields) return jsonIn(form['answer'] ?? '');
  const [only] = fields;
  if (isSimple(schema) && only) return valueIn(only[1], form[nameOf('')] ?? '');
  const given = fields.flatMap(([name, field]): [string, unknown][] => {
    const value = valueIn(field, form[nameOf(name)] ?? '');
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(given);
}

function valueIn(field: Simple, text: string): unknown {
  if (text === '') return undefined;
  const options = field.type === 'boolean' ? [true, false] : field.enum;
  if (options) return options[Number(text)];
  if (field.type === 'string') return text;
  // As JSON has numbers, and none that cannot be carried exactly.
  const number = jsonIn(text.trim());
  return typeof number === 'number' ? number : text;
}

/** A text that is no JSON, or a number in it that cannot be carried exactly, stays a text: it is refused in words. */
export function jsonIn(text: string): unknown {
  const parsed = parseJson(Buffer.from(text));
  return parsed.ok ? parsed.value : text;
}
