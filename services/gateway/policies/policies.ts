import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type PolicyText, policyKey, policyScope } from '@placet/events';
import { formatProblems, type Policy, type Problem, parsePolicy, setOf } from '@placet/policy';
import { digestOfText } from '@placet/proof';
import {
  backoffMs,
  type ConfigEntry,
  type ConfigStore,
  type Logger,
  Refusal,
  type Resources,
  sleep,
  Unavailable,
  type ValidEntry,
} from '@placet/runtime';
import { createTurns } from './turns.ts';

export type Policies = ReturnType<typeof createPolicies>;
export type PutPolicy = { by: string; why?: string | undefined; revision?: number | undefined };

/** The policies' texts. None is stored that does not parse, so the running one stays. */
export function createPolicies(store: ConfigStore<PolicyText>, keptMs: () => number) {
  const files = new Map<string, string>();
  /** Whether a policy can include a set is asked of the sets as they are when it is stored. */
  const inTurn = createTurns();

  async function put(scope: string, text: string, change: PutPolicy): Promise<ValidEntry<PolicyText>> {
    await accept(scope, text);
    const key = policyKey(scope);
    const expected = change.revision ?? store.get(key)?.revision ?? 0;
    const { by, why } = change;
    const value = { scope, text, digest: digestOfText(text) };
    const because = why === undefined ? {} : { why };
    const revision = await store.put(key, value, { by, expected, ...because });
    return { status: 'valid', key, value, revision, by, at: new Date().toISOString(), ...because };
  }

  /** The texts of the sets, with another one for this scope. */
  function setTexts(scope: string, text: string | null): Map<string, string> {
    const sets = new Map<string, string>();
    for (const entry of store.all()) {
      const name = setOf(policyScope(entry.key));
      if (name !== null && entry.status === 'valid' && !entry.value.removed) sets.set(name, entry.value.text);
    }
    const own = setOf(scope);
    if (own !== null && text !== null) sets.set(own, text);
    else if (own !== null) sets.delete(own);
    return sets;
  }

  function read(scope: string, text: string, { isAccepted = false } = {}): void {
    const sets = setTexts(scope, text);
    const parsed = parsePolicy(text, { sets, isSet: setOf(scope) !== null, isAccepted });
    const problems = parsed.ok ? tooLongFor(parsed.policy, keptMs()) : parsed.problems;
    if (problems.length === 0) return;
    throw new Refusal('POLICY_REFUSED', {
      message: `The policy was refused; the running one stays.\n${formatProblems(problems)}`,
      details: problems,
    });
  }

  async function accept(scope: string, text: string): Promise<void> {
    read(scope, text);
    if (setOf(scope) === null) return;
    const sets = setTexts(scope, text);
    const broken = await brokenBy(scope, sets);
    if (broken.length === 0) return;
    const [first] = broken;
    const scopes = broken.map((one) => one.scope).join(', ');
    const words = broken.map((one) => `${one.scope}:\n${formatProblems(one.problems)}`).join('\n');
    throw new Refusal('POLICY_REFUSED', {
      message: `The set was refused; the running one stays. With it ${scopes} could not be used.\n${words}`,
      ...(first ? { details: first.problems } : {}),
    });
  }

  /** The policies that keep their own tests with the sets as they are, and would not with these. */
  async function brokenBy(scope: string, sets: ReadonlyMap<string, string>) {
    const before = setTexts('', null);
    const broken: { scope: string; problems: Problem[] }[] = [];
    // The word may be written with an escape.
    for (const { value } of list().filter(({ value }) => /include|\\/.test(value.text))) {
      // Each may take long, and others wait.
      await sleep(0);
      const then = parsePolicy(value.text, { sets });
      if (then.ok) continue;
      const now = parsePolicy(value.text, { sets: before });
      if (now.ok && now.policy.includes.includes(setOf(scope) ?? ''))
        broken.push({ scope: value.scope, problems: then.problems });
    }
    return broken;
  }

  const list = () =>
    store
      .all()
      .filter((entry) => entry.status === 'valid')
      .filter(({ value }) => !value.removed);

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

  async function remove(scope: string, by: string): Promise<void> {
    const { value, revision } = get(scope);
    const users = setOf(scope) === null ? [] : await brokenBy(scope, setTexts(scope, null));
    if (users.length > 0) {
      const scopes = users.map((one) => one.scope);
      const message = `${scopes.join(', ')} ${scopes.length === 1 ? 'includes' : 'include'} this set. Take it out there first.`;
      throw new Refusal('IN_USE', { message, details: { scopes } });
    }
    const removed = { ...value, removed: true };
    await store.put(policyKey(scope), removed, { by, why: 'removed', expected: revision });
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
    list,
    /** As the configuration has them, those that cannot be trusted too. */
    entries: () => store.all(),
    onChange: (listener: (entry: ConfigEntry<PolicyText>) => void) => store.onChange(listener),
    /** Throws when this scope cannot have this text. */
    read,
    /** Every version that is kept, oldest first. */
    history: (scope: string) => store.history(policyKey(scope)),
    has: (scope: string) => store.get(policyKey(scope)) !== undefined,
    /** The file that a scope comes from, if any. */
    fileOf: (scope: string) => files.get(scope),

    async put(scope: string, text: string, change: PutPolicy) {
      refuseFile(scope);
      return inTurn(() => put(scope, text, change));
    },

    /** The scope abstains from now on, as if it had never had a policy. */
    async remove(scope: string, by: string): Promise<void> {
      refuseFile(scope);
      await inTurn(() => remove(scope, by));
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
        const { revision } = await inTurn(() => put(scope, text, { by: 'file', why: `the file ${file}` }));
        logger.info({ file, scope, revision }, 'the policy file is applied');
      }

      function currentDigest(): string | undefined {
        const entry = store.get(policyKey(scope));
        return entry?.status === 'valid' && !entry.value.removed ? entry.value.digest : undefined;
      }
    },
  };
}

/** An approval that the stream forgets before it ends could be asked for, and given, once more. */
function tooLongFor({ rules }: Policy, keptMs: number): Problem[] {
  return rules
    .filter(({ timeoutMs = 0, validForMs = 0 }) => timeoutMs + validForMs >= keptMs)
    .map(({ line, name }) => ({
      line,
      column: 1,
      path: 'rules',
      message:
        `timeout: the rule ${name} lets people take as long as the stream keeps an action, which is ` +
        `${Math.round(keptMs / 1000)} s (PLACET_STREAM_AGE), or longer: shorten timeout or valid_for`,
    }));
}

function isConflict(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'REVISION_CONFLICT';
}
