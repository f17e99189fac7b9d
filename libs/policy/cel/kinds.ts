/**
 * What a part of a condition is, as far as it can be told before there is a request. Of a payload it can be told only
 * that it is JSON: its numbers have fractions, and it holds no moments. Of "dyn" nothing can.
 */
export type Kind =
  | 'dyn'
  | 'json'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'type';

const numbers: readonly Kind[] = ['int', 'uint', 'double'];
export const isNumber = (kind: Kind) => numbers.includes(kind);

const nouns: Record<Kind, string> = {
  dyn: 'a value',
  json: 'a value of the payload',
  bool: 'true or false',
  int: 'a whole number',
  uint: 'an unsigned number',
  double: 'a number with a fraction',
  string: 'a text',
  bytes: 'bytes',
  null: 'null',
  timestamp: 'a moment',
  duration: 'a span of time',
  list: 'a list',
  map: 'a map',
  type: 'a type',
};
export const nounOf = (kind: Kind): string => nouns[kind];

export const isOpen = (kind: Kind) => kind === 'dyn' || kind === 'json';

/** Of the types that `type(…)` can be compared with, the names. */
export const typeNames = new Set('bool int uint double string bytes list map null_type type'.split(' '));

/**
 * What a function takes, a method its target first, and gives. Several of one name are told apart by what they take.
 */
export type Signature = { as: 'function' | 'method'; takes: readonly (readonly Kind[])[]; gives: Kind };

const any = Object.keys(nouns) as Kind[];
const method = (gives: Kind, ...takes: (readonly Kind[])[]): Signature => ({ as: 'method', takes, gives });
const plain = (gives: Kind, ...takes: (readonly Kind[])[]): Signature => ({ as: 'function', takes, gives });

const sized: readonly Kind[] = ['string', 'bytes', 'list', 'map'];
const numeric: readonly Kind[] = ['int', 'uint', 'double', 'string'];
const dateParts = ['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear'];
const spanParts = ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'];

export const functions: ReadonlyMap<string, readonly Signature[]> = new Map<string, Signature[]>([
  ['size', [plain('int', sized), method('int', sized)]],
  ...['startsWith', 'endsWith', 'contains', 'matches'].map((name): [string, Signature[]] => [
    name,
    [method('bool', ['string'], ['string'])],
  ]),
  ['int', [plain('int', [...numeric, 'timestamp'])]],
  ['uint', [plain('uint', numeric)]],
  ['double', [plain('double', numeric)]],
  ['string', [plain('string', [...numeric, 'bytes', 'timestamp', 'duration', 'bool'])]],
  ['bytes', [plain('bytes', ['string', 'bytes'])]],
  ['bool', [plain('bool', ['string', 'bool'])]],
  ['dyn', [plain('dyn', any)]],
  ['type', [plain('type', any)]],
  ['duration', [plain('duration', ['string', 'duration'])]],
  ['timestamp', [plain('timestamp', ['string', 'timestamp', 'int'])]],
  ...dateParts.map((name): [string, Signature[]] => [
    name,
    [method('int', ['timestamp']), method('int', ['timestamp'], ['string'])],
  ]),
  ...spanParts.map((name): [string, Signature[]] => [
    name,
    [method('int', ['timestamp', 'duration']), method('int', ['timestamp'], ['string'])],
  ]),
]);

/** What a part that is written out is, by the parser's name for it. */
export function constantKind(name: string | undefined): Kind {
  switch (name) {
    case 'boolValue':
      return 'bool';
    case 'int64Value':
      return 'int';
    case 'uint64Value':
      return 'uint';
    case 'doubleValue':
      return 'double';
    case 'stringValue':
      return 'string';
    case 'bytesValue':
      return 'bytes';
    case 'nullValue':
      return 'null';
    default:
      return 'dyn';
  }
}
