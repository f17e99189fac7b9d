import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allSettings } from '@placet/embedded';
import { eventTypes } from '@placet/events';
import type { Setting } from '@placet/runtime';
import { describe, expect, test } from 'vitest';
import {
  deployGroup,
  documents,
  eventSchemaText,
  mongodbGroup,
  notEmittedYet,
  processGroup,
  settingGroups,
} from '../documents.ts';

const root = join(import.meta.dirname, '../..');

describe('the documents that come out of the code', () => {
  test.each(documents())('$path is current', ({ path, text }) => {
    const onDisk = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '';
    expect(onDisk, 'run "npm run generate"').toBe(text);
  });

  test('every setting is in the document, once', () => {
    const { [processGroup]: _, [deployGroup]: __, [mongodbGroup]: ___, ...ofAll } = settingGroups;
    const shown = Object.values(ofAll).flatMap((group) => Object.keys(group));
    expect(shown.toSorted()).toEqual(Object.keys(allSettings).toSorted());
  });

  const withDefault = Object.values<Setting<unknown>>(allSettings).filter(({ shown }) => shown !== '');
  test.each(withDefault)('the default of $name is the one that is shown', ({ schema, shown }) => {
    expect(schema.parse(undefined)).toEqual(schema.parse(shown));
  });

  test('an event is said to be emitted when a service names it, and only then', () => {
    const sources = [...sourcesUnder('services'), ...sourcesUnder('libs/runtime')].join('\n');
    const named = eventTypes.filter((type) => sources.includes(`'${type}'`));
    expect(notEmittedYet.toSorted()).toEqual(eventTypes.filter((type) => !named.includes(type)).toSorted());
  });

  test('the schema has every type, and every type the attributes of CloudEvents', () => {
    const { $defs } = JSON.parse(eventSchemaText());
    expect(Object.keys($defs)).toEqual(eventTypes);
    for (const type of eventTypes) {
      const { properties, required } = $defs[type];
      expect(properties.type.const).toBe(type);
      expect(required).toEqual(expect.arrayContaining(['specversion', 'id', 'source', 'type', 'data']));
    }
  });
});

function sourcesUnder(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => /^(?!.*(test|node_modules)).*\.ts$/.test(file))
    .map((file) => readFileSync(join(root, directory, file), 'utf8'));
}
