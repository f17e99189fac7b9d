import type { PolicyText } from '@placet/events';
import { type ConfigEntry, configHistory, Refusal, type ValidEntry } from '@placet/runtime';
import type { Policies, PutPolicy } from './policies.ts';
import { diffTexts, type TextDiff } from './text-diff.ts';

type Version = ConfigEntry<PolicyText>;
export type PolicyVersion = { version: Version; inForce: boolean };
export type PolicyDiff = TextDiff & { from: number; to: number };

/** What a diff is from where there was no policy before. */
export const noRevision = 0;

export type PolicyVersions = ReturnType<typeof createPolicyVersions>;

/**
 * The versions of policies that the configuration still keeps. One that cannot be trusted is shown as that, and its
 * text is neither told nor put back.
 */
export function createPolicyVersions(policies: Pick<Policies, 'history' | 'put'>) {
  /** Oldest first. */
  async function versionsOf(scope: string): Promise<Version[]> {
    const versions = await policies.history(scope);
    if (versions.length > 0) return versions;
    throw new Refusal('NOT_FOUND', { message: `There is no policy ${scope} yet, and there never was one.` });
  }

  async function get(scope: string, revision: number): Promise<ValidEntry<PolicyText>> {
    return withText(scope, find(scope, await versionsOf(scope), revision));
  }

  return {
    get,

    /** Newest first. */
    async list(scope: string): Promise<PolicyVersion[]> {
      const versions = await versionsOf(scope);
      const newest = versions.at(-1);
      return versions
        .map((version) => ({ version, inForce: version === newest && isPolicy(version) }))
        .toReversed();
    },

    /** To the newest version, from the one before it, unless others are named. */
    async diff(
      scope: string,
      named: { from?: number | undefined; to?: number | undefined },
    ): Promise<PolicyDiff> {
      const versions = await versionsOf(scope);
      const newest = versions.at(-1)?.revision ?? noRevision;
      const to = find(scope, versions, named.to ?? newest);
      const from = named.from ?? revisionBefore(scope, versions, to);
      const fromText = from === noRevision ? '' : textOf(scope, find(scope, versions, from));
      const diff = diffTexts(
        { name: `${scope}@${from}`, text: fromText },
        { name: `${scope}@${to.revision}`, text: textOf(scope, to) },
      );
      return { from, to: to.revision, ...diff };
    },

    /** Puts the text of an earlier version again, as whoever sends it does: what would be refused now is refused. */
    async rollback(scope: string, revision: number, change: PutPolicy): Promise<ValidEntry<PolicyText>> {
      const { value } = await get(scope, revision);
      const why = change.why ?? `rollback to revision ${revision}`;
      return policies.put(scope, value.text, { ...change, why });
    },
  };
}

function isPolicy(version: Version): version is ValidEntry<PolicyText> {
  return version.status === 'valid' && !version.value.removed;
}

function find(scope: string, versions: Version[], revision: number): Version {
  const found = versions.find((version) => version.revision === revision);
  if (found) return found;
  const revisions = versions.map((version) => version.revision).toReversed();
  throw new Refusal('NOT_FOUND', {
    message:
      `${scope} has no revision ${revision}. It has ${revisions.join(', ')}; ` +
      `the newest ${configHistory} of a scope are kept.`,
    details: { revisions },
  });
}

function revisionBefore(scope: string, versions: Version[], to: Version): number {
  const before = versions[versions.indexOf(to) - 1];
  if (before) return before.revision;
  if (versions.length < configHistory) return noRevision;
  throw new Refusal('NOT_FOUND', {
    message:
      `Nothing before revision ${to.revision} of ${scope} is kept. ` +
      `Name \`from\`; with ${noRevision} all of it is new.`,
  });
}

/** What the version had in force; nothing where it took the policy away. */
function textOf(scope: string, version: Version): string {
  const { value } = trusted(scope, version);
  return value.removed ? '' : value.text;
}

function withText(scope: string, version: Version): ValidEntry<PolicyText> {
  const entry = trusted(scope, version);
  if (!entry.value.removed) return entry;
  throw new Refusal('NOT_FOUND', {
    message: `Revision ${version.revision} took the policy ${scope} away, and has no text. DELETE takes it away again.`,
  });
}

function trusted(scope: string, version: Version): ValidEntry<PolicyText> {
  if (version.status === 'valid') return version;
  throw new Refusal('NOT_FOUND', {
    message: `Revision ${version.revision} of ${scope} cannot be trusted (${version.problem}). Its text is not told.`,
  });
}
