import type { AnswerSchema } from '@placet/events';
import { parseJson } from '@placet/proof';
import { attribute, type Html, html } from './html.ts';

export type Form = Readonly<Record<string, string>>;

type ObjectSchema = Extract<AnswerSchema, { type: 'object' }>;
type ListSchema = Extract<AnswerSchema, { type: 'array' }>;
type Simple = Exclude<AnswerSchema, ObjectSchema | ListSchema>;
type Part = { name: string; schema: AnswerSchema; isRequired: boolean };

const isSimple = (schema: AnswerSchema): schema is Simple =>
  schema.type !== 'object' && schema.type !== 'array';

/** An object is asked for part by part, everything else as it is. */
function partsOf(schema: AnswerSchema): Part[] {
  if (schema.type !== 'object') return [{ name: 'answer', schema, isRequired: true }];
  return Object.entries(schema.properties).map(([property, part]) => ({
    name: `answer.${property}`,
    schema: part,
    isRequired: schema.required?.includes(property) ?? false,
  }));
}

/** What the agent asks, as fields of a form. */
export function answerFields(schema: AnswerSchema, form: Form): Html {
  return html`${partsOf(schema).map((part) => {
    const { name, isRequired } = part;
    const label = part.schema.title ?? (name === 'answer' ? 'Your answer' : name.slice('answer.'.length));
    const { description } = part.schema;
    return html`<label for="${attribute(name)}">${label}${!isRequired && html` <span class="soft">(optional)</span>`}</label>
${description !== undefined && html`<p class="soft">${description}</p>`}${fieldOf(part, form)}`;
  })}`;
}

function fieldOf({ name, schema }: Part, form: Form): Html {
  const value = attribute(form[name] ?? '');
  const field = attribute(name);
  if (isSimple(schema)) return inputOf(schema, name, form[name] ?? '');
  if (schema.type === 'array' && isSimple(schema.items)) {
    const options = optionsOf(schema.items);
    return options
      ? html`${options.map((option, n) => checkbox(itemOf(name, n), option, form))}`
      : html`<p class="soft">One in a line.</p><textarea id="${field}" name="${field}">
${value}</textarea>`;
  }
  return html`<details><summary>As JSON, in this form</summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>
<textarea class="code" id="${field}" name="${field}">
${value}</textarea>`;
}

const optionsOf = (schema: Simple) => (schema.type === 'boolean' ? [true, false] : schema.enum);
const optionWord = (option: unknown) =>
  typeof option === 'boolean' ? (option ? 'yes' : 'no') : String(option);

const checkbox = (name: string, option: unknown, form: Form) =>
  html`<label class="inline"><input type="checkbox" name="${attribute(name)}"${form[name] !== undefined && html` checked`}>${optionWord(option)}</label>`;

/** No part is named like this, whatever the agent calls it. */
const itemOf = (name: string, n: number) => `item.${n}.${name}`;

function inputOf(schema: Simple, name: string, text: string): Html {
  const value = attribute(text);
  const field = attribute(name);
  const options = optionsOf(schema);
  if (options) {
    const choices = options.map(
      (option, n) =>
        html`<option value="${n}"${text === String(n) && html` selected`}>${optionWord(option)}</option>`,
    );
    return html`<select id="${field}" name="${field}"><option value="">choose</option>${choices}</select>`;
  }
  if (schema.type === 'string') {
    return schema.format === undefined
      ? html`<textarea id="${field}" name="${field}">
${value}</textarea>`
      : html`<input type="${schema.format === 'date' ? 'date' : 'text'}" id="${field}" name="${field}" value="${value}">`;
  }
  return html`<input type="text" inputmode="decimal" id="${field}" name="${field}" value="${value}">`;
}

/** What a form says, as the schema wants it; what cannot be read is left as it is, to be refused in words. */
export function answerIn(schema: AnswerSchema, form: Form): unknown {
  const parts = partsOf(schema).map((part) => [part, partIn(part, form)] as const);
  if (schema.type !== 'object') return parts[0]?.[1];
  const given = parts.filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([{ name }, value]) => [name.slice('answer.'.length), value]));
}

function partIn({ name, schema, isRequired }: Part, form: Form): unknown {
  const text = form[name] ?? '';
  if (isSimple(schema)) return valueIn(schema, text);
  if (schema.type === 'array' && isSimple(schema.items)) {
    const list = listIn(schema.items, name, form);
    return list.length > 0 || isRequired ? list : undefined;
  }
  return text === '' ? undefined : jsonIn(text);
}

function listIn(items: Simple, name: string, form: Form): unknown[] {
  const options = optionsOf(items);
  if (options) return options.filter((_, n) => form[itemOf(name, n)] !== undefined);
  const lines = (form[name] ?? '').split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').map((line) => valueIn(items, line));
}

function valueIn(schema: Simple, text: string): unknown {
  if (text === '') return undefined;
  const options = optionsOf(schema);
  if (options) return options[Number(text)];
  if (schema.type === 'string') return text;
  // As JSON has numbers, and none that cannot be carried exactly.
  const number = jsonIn(text.trim());
  return typeof number === 'number' ? number : text;
}

/** A text that is no JSON, or a number in it that cannot be carried exactly, stays a text: it is refused in words. */
export function jsonIn(text: string): unknown {
  const parsed = parseJson(Buffer.from(text));
  return parsed.ok ? parsed.value : text;
}
