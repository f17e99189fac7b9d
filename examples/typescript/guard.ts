// Ask Placet before an action runs. Node 24 runs this file as it is; URL and KEY are taken from the environment.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

type Placet = { url: string; key: string };
type Answer = { decision?: string; action_id?: string; reason?: string; message?: string };

/** The action must not run; the message says why. */
export class Denied extends Error {}

/** Calls `run` if Placet allows it, and reports the execution. Whatever is unsure is a denial. */
export async function guard<T>(placet: Placet, action_name: string, payload: object, run: () => Promise<T>) {
  const check = { action_name, payload, idempotency_key: randomUUID() };
  const answer = await ask(placet, check, 600_000);
  if (answer.decision !== 'allowed') {
    throw new Denied(answer.reason ?? answer.message ?? 'nobody decided in time');
  }
  const result = await run().catch(async (error: unknown) => {
    await report(placet, answer, { status: 'error', error: String(error).slice(0, 2000) });
    throw error;
  });
  await report(placet, answer, { status: 'success' });
  return result;
}

/** Waits for the decision. The same key is the same action, so it is safe to ask again. */
async function ask(placet: Placet, check: object, patienceMs: number): Promise<Answer> {
  const deadline = Date.now() + patienceMs;
  let answer: Answer = {};
  while (Date.now() < deadline) {
    const response = await call(placet, 'POST', '/v1/check?wait=30', check).catch(() => null);
    if (response === null || response.status === 429 || response.status === 503) {
      await sleep(Number(response?.headers.get('retry-after') ?? 1) * 1000);
      continue;
    }
    answer = (await response.json()) as Answer;
    if (response.status !== 200 || answer.decision !== 'pending') return answer;
  }
  // Nobody waits for this decision any more.
  if (answer.action_id) await call(placet, 'DELETE', `/v1/check/${answer.action_id}`);
  return {};
}

/** The report ends the permission. That it fails does not undo what has run. */
async function report(placet: Placet, { action_id }: Answer, execution: object): Promise<void> {
  const response = await call(placet, 'POST', `/v1/check/${action_id}/execution`, execution).catch(
    () => null,
  );
  // 409: reported before, and that answer was lost.
  if (response?.ok || response?.status === 409) return;
  console.error(`${action_id} ran and could not be reported: ${await response?.text()}`);
}

function call({ url, key }: Placet, method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) };
  return fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

if (import.meta.main) {
  const placet = { url: process.env['URL'] ?? '', key: process.env['KEY'] ?? '' };
  const done = await guard(placet, 'cancel_flight', { flight: 'PA441' }, async () => 'cancelled PA441');
  process.stdout.write(`${done}\n`);
}
