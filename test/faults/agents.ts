import { sleep } from '@placet/runtime';
import { createAsker, isToRepeat } from './asking.ts';
import { type CheckRequest, type Note, successOf } from './notes.ts';
import { createTasks, type Scene } from './scene.ts';
import { askingFor } from './world.ts';

/** What people are asked about, as the agent was told. */
export type HeldAction = { action: string; request: CheckRequest; digest: string };
export type AgentIdentity = { name: string; key: string };

/** So few that an overloaded machine slows them down instead of drowning in what they ask again. */
const atOnceMax = 8;
const attemptsMax = 15;
const pollsMax = 6;
const names = [
  ...Array<string>(7).fill('read.file'),
  ...Array<string>(2).fill('drop.table'),
  ...Array<string>(4).fill('refund.create'),
  ...Array<string>(3).fill('wire.send'),
  ...Array<string>(8).fill('order.place'),
  ...Array<string>(5).fill('restart.service'),
] as [string, ...string[]];

/**
 * An agent that does as the documentation says: it asks, again under its key and through another gateway when that
 * failed, waits, runs what was allowed, reports it, and asks now and then for what it has asked for before.
 */
export async function runAgent(
  scene: Scene,
  { name, key }: AgentIdentity,
  onHeld: (action: HeldAction) => void,
): Promise<void> {
  const { gateways, random, restMs, stopping } = scene;
  const ask = createAsker(name, key, scene.notes);
  const tasks = createTasks(atOnceMax);
  const anyGateway = () => random.pick(gateways);

  for (let n = 1; !stopping.aborted; n++) {
    if (!tasks.isFull()) tasks.add(() => act(requestOf(n)));
    await sleep(random.between(restMs.from, restMs.to), stopping);
  }
  await tasks.settled();

  function requestOf(n: number): CheckRequest {
    const action_name = random.pick(names);
    const payload = { n, of: name, amount: random.between(1, 999) };
    const isOpen = random.isChance(askingFor(action_name).editable.length > 0 ? 0.85 : 0.1);
    const request = { action_name, payload, ...(isOpen ? { accepts: ['edits'] } : {}) };
    return random.isChance(0.85) ? { ...request, idempotency_key: `${name}-${n}` } : request;
  }

  async function act(request: CheckRequest): Promise<void> {
    const asked = await submit(request);
    const answer = asked && successOf(asked);
    const action = answer?.action_id;
    if (!answer || action === undefined) return;
    if (answer.approval && answer.payload_digest !== undefined) {
      onHeld({ action, request, digest: answer.payload_digest });
    }
    if (answer.approval && random.isChance(0.1)) await withdraw(action);
    const decision = answer.decision === 'pending' ? await follow(action) : answer.decision;
    if (decision === 'allowed' && random.isChance(0.7)) await report(action);
    if (request.idempotency_key === undefined || !random.isChance(0.35)) return;
    await sleep(random.between(0, 3000), stopping);
    await submit(request);
  }

  /** Without a key an agent does not ask again: it could not know whether that is the same action. */
  async function submit(request: CheckRequest): Promise<Note | null> {
    const once = () => {
      const way = { method: 'POST', path: '/v1/check', body: request };
      return ask(anyGateway(), way, { kind: 'check', request });
    };
    if (request.idempotency_key === undefined) return once();
    if (random.isChance(0.1)) void (await Promise.all([once(), once()]));
    return repeated(once);
  }

  async function follow(action: string): Promise<string | undefined> {
    for (let poll = 0; poll < pollsMax && !stopping.aborted; poll++) {
      const way = { method: 'GET', path: `/v1/check/${action}?wait=2` };
      const note = await ask(anyGateway(), way, { kind: 'answer', action });
      const decision = successOf(note)?.decision;
      if (decision && decision !== 'pending') return decision;
      if (isToRepeat(note)) await sleep(random.between(50, 300), stopping);
    }
    return undefined;
  }

  async function withdraw(action: string): Promise<void> {
    await sleep(random.between(0, 800), stopping);
    const way = { method: 'DELETE', path: `/v1/check/${action}` };
    await repeated(() => ask(anyGateway(), way, { kind: 'withdrawal', action }));
  }

  /** Now and then two reports of one action race; and afterwards the permission has to be gone. */
  async function report(action: string): Promise<void> {
    const way = { method: 'POST', path: `/v1/check/${action}/execution`, body: { status: 'success' } };
    const once = () => repeated(() => ask(anyGateway(), way, { kind: 'execution', action }));
    await (random.isChance(0.2) ? Promise.all([once(), once()]) : once());
    if (random.isChance(0.5)) {
      await ask(anyGateway(), { method: 'GET', path: `/v1/check/${action}` }, { kind: 'answer', action });
    }
  }

  async function repeated(once: () => Promise<Note>): Promise<Note | null> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const note = await once();
      if (!isToRepeat(note)) return note;
      if (stopping.aborted) return null;
      await sleep(random.between(50, 400), stopping);
    }
    return null;
  }
}
