import * as z from 'zod';

const depthMax = 5;
const nodesMax = 200;
const charsMax = 16_000;

const about = { title: z.string().max(200).optional(), description: z.string().max(2000).optional() };
const Count = z.number().int().min(0).max(100_000);
const Primitive = z.union([z.string().max(1000), z.number(), z.boolean()]);
const Options = z.array(Primitive).min(1).max(100).optional();
const NumberBounds = {
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  enum: Options,
  ...about,
};

type About = { title?: string | undefined; description?: string | undefined };
type Option = z.infer<typeof Primitive>;
type TextNode = About & {
  type: 'string';
  minLength?: number | undefined;
  maxLength?: number | undefined;
  format?: keyof typeof formats | undefined;
  enum?: Option[] | undefined;
};
type NumberNode = About & {
  type: 'number' | 'integer';
  minimum?: number | undefined;
  maximum?: number | undefined;
  exclusiveMinimum?: number | undefined;
  exclusiveMaximum?: number | undefined;
  enum?: Option[] | undefined;
};
type ListNode = About & {
  type: 'array';
  items: AnswerSchema;
  minItems?: number | undefined;
  maxItems?: number | undefined;
};
type ObjectNode = About & {
  type: 'object';
  properties: Record<string, AnswerSchema>;
  required?: string[] | undefined;
  additionalProperties?: false | undefined;
};
export type AnswerSchema = TextNode | NumberNode | (About & { type: 'boolean' }) | ListNode | ObjectNode;

const WebAddress = z
  .string()
  .refine(
    (text) => /^https?:\/\/[^\s<>"\\]+$/.test(text) && URL.canParse(text),
    'must be an address, as https://example.com',
  );
const formats = {
  date: z.iso.date(),
  'date-time': z.iso.datetime({ offset: true }),
  email: z.email(),
  uri: WebAddress,
};

/**
 * The part of JSON Schema that an agent may give: what a form can be made of, and nothing that can be made expensive.
 * No patterns, which can take forever, and no references.
 */
const AnswerNode: z.ZodType<AnswerSchema> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('string'),
    minLength: Count.optional(),
    maxLength: Count.optional(),
    format: z.enum(['date', 'date-time', 'email', 'uri']).optional(),
    enum: Options,
    ...about,
  }),
  z.strictObject({ type: z.enum(['number', 'integer']), ...NumberBounds }),
  z.strictObject({ type: z.literal('boolean'), ...about }),
  z.strictObject({
    type: z.literal('array'),
    get items(): z.ZodType<AnswerSchema> {
      return AnswerNode;
    },
    minItems: Count.optional(),
    maxItems: Count.optional(),
    ...about,
  }),
  z.strictObject({
    type: z.literal('object'),
    get properties(): z.ZodType<Record<string, AnswerSchema>> {
      return z.record(z.string().min(1).max(200), AnswerNode);
    },
    required: z.array(z.string()).max(nodesMax).optional(),
    additionalProperties: z.literal(false).optional(),
    ...about,
  }),
]);

type Extent = { depth: number; nodes: number };

function extentOf(node: AnswerSchema): Extent {
  const inner =
    node.type === 'object' ? Object.values(node.properties) : node.type === 'array' ? [node.items] : [];
  const extents = inner.map(extentOf);
  return {
    depth: 1 + Math.max(0, ...extents.map(({ depth }) => depth)),
    nodes: 1 + extents.reduce((sum, { nodes }) => sum + nodes, 0),
  };
}

/** How deep anything is, without asking what it is. */
function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((one) => isDeeperThan(one, depth - 1));
}

/** A name that would be lost on the way, and with it what it asks for. */
function namesPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(namesPrototype);
}

const Shallow = z
  .unknown()
  // A node is two levels: its properties, and each of them.
  .refine((value) => !isDeeperThan(value, 2 * depthMax + 1), {
    error: `must be at most ${depthMax} levels deep`,
    // What is that deep is not looked into.
    abort: true,
  })
  .refine((value) => !namesPrototype(value), 'must not name __proto__')
  .refine(
    (value) => JSON.stringify(value ?? null).length <= charsMax,
    `must be at most ${charsMax} characters`,
  );

export const AnswerSchema = Shallow.pipe(AnswerNode)
  .refine((node) => extentOf(node).depth <= depthMax, `must be at most ${depthMax} levels deep`)
  .refine((node) => extentOf(node).nodes <= nodesMax, `must have at most ${nodesMax} parts`)
  .refine(namesRequired, 'must list under required only what is among properties')
  .refine(
    isAnswerable,
    'must let something fit: bounds in their order, options of the type, names that objects have not anyway',
  );

function namesRequired(node: AnswerSchema): boolean {
  if (node.type === 'array') return namesRequired(node.items);
  if (node.type !== 'object') return true;
  const { properties, required = [] } = node;
  return (
    required.every((name) => Object.hasOwn(properties, name)) &&
    Object.values(properties).every(namesRequired)
  );
}

function isAnswerable(node: AnswerSchema): boolean {
  switch (node.type) {
    case 'string':
      return isOrdered(node.minLength, node.maxLength) && areAll(node.enum, 'string');
    case 'number':
    case 'integer':
      return isOrdered(node.minimum, node.maximum) && areAll(node.enum, 'number');
    case 'boolean':
      return true;
    case 'array':
      return isOrdered(node.minItems, node.maxItems) && isAnswerable(node.items);
    case 'object':
      return Object.entries(node.properties).every(
        ([name, inner]) => !(name in Object.prototype) && isAnswerable(inner),
      );
    default:
      return node satisfies never;
  }
}

const isOrdered = (min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY) => min <= max;
const areAll = (options: readonly Option[] = [], type: string) =>
  options.every((option) => typeof option === type);

export type AnswerProblem = { path: string; message: string };

/** What is wrong with an answer, by the schema that the agent gave; nothing where it fits. */
export function answerProblems(schema: AnswerSchema, answer: unknown): AnswerProblem[] {
  const checked = checkerOf(schema).safeParse(answer);
  if (checked.success) return [];
  return checked.error.issues
    .slice(0, 20)
    .map(({ path, message }) => ({ path: `answer${path.map(step).join('')}`, message }));
}

function step(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
}

function checkerOf(node: AnswerSchema): z.ZodType {
  switch (node.type) {
    case 'string':
      return among(node.enum, textChecker(node));
    case 'number':
    case 'integer':
      return among(node.enum, numberChecker(node));
    case 'boolean':
      return z.boolean();
    case 'array':
      return z
        .array(checkerOf(node.items))
        .min(node.minItems ?? 0)
        .max(node.maxItems ?? Number.MAX_SAFE_INTEGER);
    case 'object': {
      const shape = Object.entries(node.properties).map(([name, inner]): [string, z.ZodType] => {
        const checker = checkerOf(inner);
        return [name, node.required?.includes(name) ? checker : checker.optional()];
      });
      const fields = Object.fromEntries(shape);
      return node.additionalProperties === false ? z.strictObject(fields) : z.looseObject(fields);
    }
    default:
      return node satisfies never;
  }
}

function textChecker({ minLength = 0, maxLength = Number.MAX_SAFE_INTEGER, format }: TextNode): z.ZodType {
  const text = z.string().min(minLength).max(maxLength);
  return format === undefined ? text : text.pipe(formats[format]);
}

function numberChecker(node: NumberNode): z.ZodType {
  const number = node.type === 'integer' ? z.number().int() : z.number();
  return number
    .min(node.minimum ?? Number.NEGATIVE_INFINITY)
    .max(node.maximum ?? Number.POSITIVE_INFINITY)
    .refine((value) => value > (node.exclusiveMinimum ?? Number.NEGATIVE_INFINITY), 'is too small')
    .refine((value) => value < (node.exclusiveMaximum ?? Number.POSITIVE_INFINITY), 'is too large');
}

function among(options: readonly (string | number | boolean)[] | undefined, checker: z.ZodType): z.ZodType {
  if (!options) return checker;
  const listed = options.map((option) => JSON.stringify(option)).join(', ');
  return checker.refine((value) => options.some((option) => option === value), `must be one of ${listed}`);
}
