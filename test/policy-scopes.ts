import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configBuckets, policyKey } from '@placet/events';
import { createSealer, digestOfText, parseSealKeys } from '@placet/proof';
import { eventually } from '@placet/testing';
import { expect } from 'vitest';
import type { sharedPlacet } from './support.ts';

export const json = { accept: 'application/json' };
export const allowing = 'version: 1\ndefault: allow\n';
export const asking = '# Ünïcode ✓\nversion: 1\ndefault: require_approval\n';
export const denying = 'version: 1\ndefault: deny\n';

export const at = (scope: string, path = '') => `/v1/policies/${scope}${path}`;

export type VersionView = { revision: number; in_force: boolean; why?: string; changed_by?: string };

/** Scopes of a running Placet, each of them a test's own, and what is put there with and without it. */
export function versionsOn(shared: ReturnType<typeof sharedPlacet>) {
  let scopes = 0;
  const newScope = () => `named:v${++scopes}`;

  async function put(scope: string, text: string, why = ''): Promise<number> {
    const query = why && `?why=${encodeURIComponent(why)}`;
    const { status, body } = await shared().admin.put(at(scope, query), text);
    expect(status).toBe(200);
    return body.revision;
  }

  async function versionsOf(scope: string): Promise<VersionView[]> {
    return (await shared().admin.get(at(scope, '/versions'))).body.versions;
  }

  return {
    newScope,
    put,
    versionsOf,

    /** A scope whose policy was put three times, and the revisions; another scope's lies in between. */
    async threeVersions() {
      const scope = newScope();
      const first = await put(scope, allowing, 'a beginning');
      await put(newScope(), denying);
      const second = await put(scope, asking, 'safer');
      const third = await put(scope, denying);
      return { scope, revisions: [first, second, third] as const };
    },

    /** Takes a policy away, and answers the revision that did. */
    async remove(scope: string): Promise<number> {
      expect((await shared().admin.delete(at(scope))).status).toBe(200);
      const [newest] = await versionsOf(scope);
      return newest?.revision ?? 0;
    },

    /** Writes into the bucket as somebody does who reached the broker. */
    async write(scope: string, text: string): Promise<number> {
      const bucket = await shared().raw.bucket(configBuckets.policies);
      const revision = await bucket.put(policyKey(scope), text);
      await eventually(async () => expect((await versionsOf(scope))[0]).toMatchObject({ revision }));
      return revision;
    },

    /** What the bucket holds. */
    async stored(seq: number): Promise<string> {
      const message = await shared().raw.jsm.streams.getMessage(`KV_${configBuckets.policies}`, { seq });
      return message?.string() ?? '';
    },

    /** A text with Placet's seal that no Placet of this version would have taken. */
    sealed(scope: string, text: string, replaces: number): string {
      const keys = readFileSync(join(shared().dataDir, 'keys', 'seal.key'), 'utf8').trim();
      const value = { scope, text, digest: digestOfText(text) };
      const body = JSON.stringify({ value, by: 'dana', at: new Date().toISOString(), replaces });
      const place = `${configBuckets.policies}.${policyKey(scope)}`;
      const seal = createSealer(parseSealKeys(keys)).seal(place, body);
      return `${body.slice(0, -1)},"seal":"${seal}"}`;
    },
  };
}
