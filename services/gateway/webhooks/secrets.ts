import { type BoxedSecret, currentSecrets } from '@placet/events';
import { generateWebhookSecret, type SecretBox } from '@placet/proof';
import { Refusal } from '@placet/runtime';

/** While a secret is exchanged there are two; whoever exchanges it again and again gets no longer list. */
const secretsMax = 4;

export function boxOf(box: SecretBox | undefined): SecretBox {
  if (box === undefined) throw new Refusal('MASTER_KEY_MISSING');
  return box;
}

/** A secret as its owner sees it once, and as it is kept. */
export function newSecret(
  box: SecretBox | undefined,
  place: string,
  { given = generateWebhookSecret(), now }: { given?: string | undefined; now: Date },
): { text: string; boxed: BoxedSecret } {
  return { text: given, boxed: { box: boxOf(box).encrypt(given, place), made_at: now.toISOString() } };
}

/** A new one before the others, which are signed with as well for a while. */
export function withNewSecret(
  secrets: readonly BoxedSecret[],
  added: BoxedSecret,
  { now, graceMs }: { now: Date; graceMs: number },
): BoxedSecret[] {
  const end = now.getTime() + graceMs;
  const ending = secrets.map((secret) => {
    const earliest = Math.min(end, secret.until === undefined ? end : Date.parse(secret.until));
    return { ...secret, until: new Date(earliest).toISOString() };
  });
  return [added, ...currentSecrets(ending, now)].slice(0, secretsMax);
}
