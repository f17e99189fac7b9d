import { decisionsSettings } from '@placet/decisions-service/config.ts';
import { embeddedSettings } from '@placet/embedded';
import {
  type CatalogueEntry,
  type EventType,
  entryOf,
  eventRoot,
  eventTypes,
  Instant,
  type Root,
} from '@placet/events';
import { gatewaySettings } from '@placet/gateway-service/config.ts';
import { notifierSettings } from '@placet/notifier-service/config.ts';
import { policySchemaText } from '@placet/policy';
import { policySettings } from '@placet/policy-service/config.ts';
import {
  errorTable,
  fileSettings,
  healthSettings,
  processSettings,
  type Setting,
  type SettingsTable,
  sealSettings,
  signerSettings,
  storeSettings,
  trustSettings,
} from '@placet/runtime';
import * as z from 'zod';
import { deploySettings, mongodbSettings } from './deploy/settings.ts';
import { natsConfText } from './nats-conf.ts';

/** A text that comes out of the code; `path` is from the root of the repository. */
export type Document = { path: string; text: string };

export function documents(): Document[] {
  return [
    { path: 'docs/configuration.md', text: configurationText() },
    { path: 'docs/events.md', text: eventsText() },
    { path: 'docs/errors.md', text: errorsText() },
    { path: 'docs/policy.schema.json', text: policySchemaText },
    { path: 'deploy/nats.conf', text: natsConfText() },
    { path: 'libs/events/schema/events.schema.json', text: eventSchemaText() },
  ];
}

const mark = (source: string) =>
  `<!-- Written by scripts/generate.ts from ${source}. Change that, and run "npm run generate". -->`;

/** These repeat some of the others, as another program reads them. */
export const processGroup = 'A service as a process of its own';
export const deployGroup = '`npm run deploy:streams`';
export const mongodbGroup = '`deploy-mongodb` of docker-compose.yml';

/** Of the gateway and the notifier, and shown once. */
const {
  slackApiUrl: _a,
  publicUrl: _b,
  mailFrom: _c,
  smtpServer: _f,
  webhookAllowedHosts: _d,
  secretBox: _e,
  ...ofNotifierAlone
} = notifierSettings;

/** All settings, by whose they are. */
export const settingGroups: Record<string, SettingsTable> = {
  'The process': embeddedSettings,
  'The gateway': gatewaySettings,
  'The policy service': policySettings,
  'The decisions service': decisionsSettings,
  'The notifier': ofNotifierAlone,
  'The stores': storeSettings,
  [processGroup]: {
    ...processSettings,
    ...sealSettings,
    ...signerSettings,
    ...trustSettings,
    ...fileSettings,
    ...healthSettings,
  },
  [deployGroup]: deploySettings,
  [mongodbGroup]: mongodbSettings,
};

export function configurationText(): string {
  const tables = Object.entries(settingGroups).flatMap(([title, settings]) => [
    `## ${title}`,
    '',
    ...table(['Setting', 'Default', 'What it is', 'Accepted'], Object.values(settings).map(settingRow)),
    '',
  ]);
  return lines(
    mark('libs/embedded/settings.ts and services/*/config.ts'),
    '',
    '# Configuration',
    '',
    'Placet reads its settings from the environment, once, at the start. A name that begins with `PLACET_` and is not',
    'in these tables stops the start, as does a value that does not fit; everything that is wrong is named at once.',
    'An empty value counts as not set.',
    '',
    'Times are a whole number and a unit: `ms`, `s`, `m`, `h` or `d`. Sizes are a whole number and `KB`, `MB` or `GB`,',
    'in steps of 1024.',
    '',
    '`PLACET_WEBHOOK_URL` and `PLACET_WEBHOOK_SECRET` go together: set both, or neither. So do',
    '`PLACET_SMTP_URL` and `PLACET_MAIL_FROM`, which need `PLACET_PUBLIC_URL` too.',
    '',
    'A secret may come from a file instead: where a row says so, the same name with `_FILE` holds the path of a file whose',
    'text is the value. A secret is never shown, not even when it does not fit.',
    '',
    ...tables,
    '## Beside Placet',
    '',
    ...table(
      ['Name', 'Default', 'What it is'],
      [
        [
          code('NATS_SERVER'),
          'none',
          'The `nats-server` (2.12 or newer) to run. Without it the set-up looks on `PATH` and in `.cache`, and then fetches one.',
        ],
      ],
    ),
  );
}

function settingRow({ name, shown, about, schema, isSecret }: Setting<unknown>): string[] {
  const names = isSecret ? `${code(name)} or ${code(`${name}_FILE`)}` : code(name);
  return [names, shown === '' ? 'none' : code(shown), about, accepted(schema)];
}

/** What a setting takes, in the words by which it refuses the rest. */
function accepted(schema: z.ZodType): string {
  const read = schema.safeParse('\u0000');
  const refusal = read.success ? '' : (read.error.issues[0]?.message ?? '');
  if (!refusal.startsWith('must ')) return '';
  return refusal.replace(/^must be /, '').replace(/^must begin /, 'begins ');
}

/** In the catalogue because the design names them; no service emits them yet. */
export const notEmittedYet: readonly EventType[] = ['grant.revoked', 'approval.seen', 'grant.consumed'];

const roots: Record<Root, string> = {
  act: 'What bears on a decision. Each of these moves the version of its action.',
  note: 'Facts beside a decision.',
  sys: 'What belongs to no action.',
};

export function eventsText(): string {
  const sections = (Object.keys(roots) as Root[]).flatMap((root) => {
    const rows = eventTypes
      .filter((type) => entryOf(type).root === root)
      .map((type) => [code(type), code(subjectPattern(type)), emittersOf(type), entryOf(type).about]);
    return [
      `## ${code(`${eventRoot}.${root}`)}`,
      '',
      roots[root],
      '',
      ...table(['Type', 'Subject', 'Emitted by', 'What it says'], rows),
      '',
    ];
  });
  return lines(
    mark('libs/events/catalogue.ts'),
    '',
    '# Events',
    '',
    'Every event is a CloudEvents 1.0 JSON object in the stream `PLACET`, and each subject is written once. In a subject',
    '`<agent>` is the name of the agent, `<action>` the id of the action (or of the grant), `<n>` a running number from',
    '1, and `<id>` an id that is unique for its cause. What was stored comes out again, live, under `placetlive.` in',
    'place of `placet.`.',
    '',
    'The form of each event, envelope and data, is in',
    '[events.schema.json](../libs/events/schema/events.schema.json) (JSON Schema, draft 2020-12).',
    '',
    ...sections.slice(0, -1),
  );
}

function subjectPattern(type: EventType): string {
  const { root, suffix } = entryOf(type);
  const place = root === 'sys' ? '' : '.<agent>.<action>';
  const tail = { none: '', number: '.<n>', id: '.<id>' }[suffix];
  return `${eventRoot}.${root}${place}.${type}${tail}`;
}

function emittersOf(type: EventType): string {
  if (notEmittedYet.includes(type)) return 'nobody yet';
  const { emitters } = entryOf(type);
  return emitters.length === 5 ? 'every service' : emitters.join(', ');
}

export function errorsText(): string {
  const rows = Object.entries(errorTable)
    .sort(([, a], [, b]) => a.status - b.status)
    .map(([name, { status, message }]) => [code(name), String(status), message]);
  return lines(
    mark('libs/runtime/errors.ts'),
    '',
    '# Errors',
    '',
    'Every answer that is not a success has this body:',
    '',
    '```json',
    '{ "error": "CODE", "message": "…", "details": [], "request_id": "req_…" }',
    '```',
    '',
    '- `error` is a code of this table. Codes do not change; decide by them.',
    '- `message` is for people. It is the one below, or one that says more of the case at hand.',
    '- `details` is there when there is more to say: a list of `path` and `message` for the fields that do not fit, otherwise an object, such as what was decided before.',
    '- `request_id` is also in the header `x-request-id`, and in the log.',
    '',
    'With 429, and with most answers of 503, the header `Retry-After` says after how many seconds to try again.',
    '',
    ...table(['Code', 'Status', 'Message'], rows),
  );
}

export function eventSchemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'An event of Placet',
    description:
      'CloudEvents 1.0. Written by scripts/generate.ts from libs/events. A reader ignores members that it does not know.',
    oneOf: eventTypes.map((type) => ({ $ref: `#/$defs/${type}` })),
    $defs: Object.fromEntries(eventTypes.map((type) => [type, eventSchema(type, entryOf(type))])),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function eventSchema(type: EventType, { about, emitters, data }: CatalogueEntry): object {
  const event = z.object({
    specversion: z.literal('1.0'),
    id: z.string().min(1).max(200),
    source: z.enum(emitters.map((service) => `placet/${service}`) as [string, ...string[]]),
    type: z.literal(type),
    subject: z.string(),
    time: Instant,
    datacontenttype: z.literal('application/json'),
    data,
  });
  // As input: members that are not named are allowed, so that a later version may add some.
  const { $schema: _, ...schema } = z.toJSONSchema(event, { target: 'draft-2020-12', io: 'input' });
  return { description: about, ...schema };
}

function table(head: string[], rows: string[][]): string[] {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)];
}

const code = (text: string) => `\`${text}\``;
const lines = (...all: string[]) => `${all.join('\n').trimEnd()}\n`;
