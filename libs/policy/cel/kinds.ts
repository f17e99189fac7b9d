/** What a part of a condition is, as far as it can be told before there is a request. Of a payload nothing can. */
export type Kind =
  | 'dyn'
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

/** What a function takes, its target first, and gives. Several of one name are told apart by what they take. */
export type Signature = { takes: readonly (readonly Kind[])[]; gives: Kind };

const any: readonly Kind[] = Object.keys(nouns) as Kind[];
const on = (target: readonly Kind[], ...rest: (readonly Kind[])[]) => [target, ...rest];
const timestampParts = [
  'getFullYear',
  'getMonth',
  'getDate',
  'getDayOfMonth',
  'getDayOfWeek',
  'getDayOfYear',
];
const spanParts = ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'];

export const functions: ReadonlyMap<string, readonly Signature[]> = new Map<string, Signature[]>([
  ['size', [{ takes: [['string', 'bytes', 'list', 'map']], gives: 'int' }]],
  ...['startsWith', 'endsWith', 'contains', 'matches'].map((name): [string, Signature[]] => [
    name,
    [{ takes: on(['string'], ['string']), gives: 'bool' }],
  ]),
  ['int', [{ takes: [['int', 'uint', 'double', 'string', 'timestamp']], gives: 'int' }]],
  ['uint', [{ takes: [['int', 'uint', 'double', 'string']], gives: 'uint' }]],
  ['double', [{ takes: [['int', 'uint', 'double', 'string']], gives: 'double' }]],
  [
    'string',
    [
      {
        takes: [['int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration', 'bool']],
        gives: 'string',
      },
    ],
  ],
  ['bytes', [{ takes: [['string', 'bytes']], gives: 'bytes' }]],
  ['bool', [{ takes: [['string', 'bool']], gives: 'bool' }]],
  ['dyn', [{ takes: [any], gives: 'dyn' }]],
  ['type', [{ takes: [any], gives: 'type' }]],
  ['duration', [{ takes: [['string', 'duration']], gives: 'duration' }]],
  ['timestamp', [{ takes: [['string', 'timestamp', 'int']], gives: 'timestamp' }]],
  ...timestampParts.map((name): [string, Signature[]] => [
    name,
    [
      { takes: on(['timestamp']), gives: 'int' },
      { takes: on(['timestamp'], ['string']), gives: 'int' },
    ],
  ]),
  ...spanParts.map((name): [string, Signature[]] => [
    name,
    [
      { takes: on(['timestamp', 'duration']), gives: 'int' },
      { takes: on(['timestamp'], ['string']), gives: 'int' },
    ],
  ]),
]);
