import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type PolicyText, policyKey } from '@placet/events';
import { formatProblems, parsePolicy } from '@placet/policy';
import { digestOfText } from '@placet/proof';
import {
  backoffMs,
  type ConfigStore,
  type Logger,
  Refusal,
  type Resources,
  sleep,
  Unavailable,
  type ValidEntry,
} from '@placet/runtime';

export type Policies = ReturnType<typeof createPolicies>;
export type PutPolicy = { by: string; why?: string | undefined; revision?: number | undefined };

/** The policies' texts. None is stored that does not parse, so the running one stays. */
export function createPolicies(store: ConfigStore<PolicyText>) {
  const files = new Map<string, string>();

  async function put(scope: string, text: string, change: PutPolicy): Promise<ValidEntry<PolicyText>> {
    const parsed = parsePolicy(text);
    if (!parsed.ok) {
      throw new Refusal('POLICY_REFUSED', {
        message: `The policy was refused; the running one stays.\n${formatProblems(parsed.problems)}`,
        details: parsed.problems,
      });
    }
    const key = policyKey(scope);
    const expected = change.revision ?? store.get(key)?.revision ?? 0;
    const { by, why } = change;
    const value = { scope, text, digest: digestOfText(text) };
    const because = why === undefined ? {} : { why };
    const revision = await store.put(key, value, { by, expected, ...because });
    return { status: 'valid', key, value, revision, by, at: new Date().toISOString(), ...because };
  }

  function get(scope: string): ValidEntry<PolicyText> {
    const entry = store.get(policyKey(scope));
    if (entry?.status === 'valid' && !entry.value.removed) return entry;
    throw new Refusal('NOT_FOUND', {
      message:
        entry?.status === 'forged'
          ? `The policy ${scope} cannot be trusted (${entry.problem}). Put it again.`
          : `There is no policy ${scope} yet. PUT one as YAML.`,
    });
  }

  function refuseFile(scope: string): void {
    const file = files.get(scope);
    if (file === undefined) return;
    throw new Refusal('POLICY_FROM_FILE', {
      message: `The policy ${scope} comes from the file ${file} (PLACET_POLICY). Change the file.`,
      details: { file },
    });
  }

  return {
    get,
    list: () =>
      store
        .all()
        .filter((entry) => entry.status === 'valid')
        .filter(({ value }) => !value.removed),
    /** Every version that is kept, oldest first. */
    history: (scope: string) => store.history(policyKey(scope)),
    has: (scope: string) => store.get(policyKey(scope)) !== undefined,
    /** The file that a scope comes from, if any. */
    fileOf: (scope: string) => files.get(scope),

    async put(scope: string, text: string, change: PutPolicy) {
      refuseFile(scope);
      return put(scope, text, change);
    },

    /** The scope abstains from now on, as if it had never had a policy. */
    async remove(scope: string, by: string): Promise<void> {
      refuseFile(scope);
      const { value, revision } = get(scope);
      const removed = { ...value, removed: true };
      await store.put(policyKey(scope), removed, { by, why: 'removed', expected: revision });
    },

    /**
     * Applies a file now, and again whenever it changes. A text that is refused is logged and changes nothing; one
     * that could not be stored is tried again until it is.
     */
    async followFile(scope: string, path: string, logger: Logger, resources: Resources): Promise<void> {
      const file = resolve(path);
      const stopping = new AbortController();
      files.set(scope, file);
      await applyFile();
      watchFile(file, { interval: 500 }, () => void applyUntilDone());
      resources.add('policy file', () => {
        stopping.abort();
        unwatchFile(file);
      });

      async function applyUntilDone(): Promise<void> {
        for (let attempt = 0; !stopping.signal.aborted; attempt++) {
          try {
            return await applyFile();
          } catch (error) {
            const message = error instanceof Error ? error.message : String(error);
            logger.error({ file }, `the policy file was not applied: ${message}`);
            const isWorthRepeating = error instanceof Unavailable || isConflict(error);
            if (!isWorthRepeating) return;
          }
          await sleep(backoffMs(attempt), stopping.signal);
        }
      }

      async function applyFile(): Promise<void> {
        const text = await readFile(file, 'utf8');
        if (currentDigest() === digestOfText(text)) return;
        const { revision } = await put(scope, text, { by: 'file', why: `the file ${file}` });
        logger.info({ file, scope, revision }, 'the policy file is applied');
      }

      function currentDigest(): string | undefined {
        const entry = store.get(policyKey(scope));
        return entry?.status === 'valid' && !entry.value.removed ? entry.value.digest : undefined;
      }
    },
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'REVISION_CONFLICT';
}
