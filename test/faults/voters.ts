import { sleep } from '@placet/runtime';
import type { HeldAction } from './agents.ts';
import { type Ask, createAsker, isToRepeat, type Way } from './asking.ts';
import { type Asked, type Note, refusalOf, successOf } from './notes.ts';
import { createTasks, type Scene } from './scene.ts';
import { type Act, turnsOn } from './turns.ts';

export type Voter = { email: string; token: string };

const atOnceMax = 40;
const attemptsMax = 15;

/** An approval as those see it who are asked: what it was at first, and what it is as far as they were told. */
type Sight = { action: string; first: string; digest: string };

/**
 * People who act upon what is held: alone, one after another, against each other, without being asked, or not at all.
 * They vote, change the payload, hand their places on and comment.
 */
export function createVoters(scene: Scene, voters: readonly Voter[]) {
  const { gateways, random, stopping, notes } = scene;
  const tasks = createTasks(atOnceMax);
  const asks = new Map(voters.map(({ email, token }) => [email, createAsker(email, token, notes)]));

  async function carryOut(sight: Sight, act: Act): Promise<void> {
    const told = await insist(sight, act);
    const seen = told && digestIn(told);
    if (!seen) return;
    sight.digest = seen;
    // Whoever learns so that the payload is another one looks again, and mostly still wants the same.
    if (act.does === 'vote' && refusalOf(told) !== null && random.isChance(0.7)) {
      await insist(sight, { ...act, isStale: false });
    }
  }

  async function insist(sight: Sight, act: Act): Promise<Note | null> {
    const ask = asks.get(act.who) as Ask;
    const { way, asked } = questionOf(sight, act);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const note = await ask(random.pick(gateways), way, asked);
      // Who is impatient clicks twice.
      if (!isToRepeat(note) && !random.isChance(0.1)) return note;
      if (stopping.aborted) return null;
      await sleep(random.between(50, 400), stopping);
    }
    return null;
  }

  function questionOf({ action, first, digest: now }: Sight, act: Act): { way: Way; asked: Asked } {
    const path = `/v1/approvals/${action}`;
    const post = (what: string, body: object): Way => ({ method: 'POST', path: `${path}/${what}`, body });
    switch (act.does) {
      case 'vote': {
        const { vote, isStale } = act;
        if (!isStale && random.isChance(0.25)) {
          return { way: post('votes', { vote }), asked: { kind: 'vote', action, vote } };
        }
        const digest = isStale ? first : now;
        const way = post('votes', { vote, payload_digest: digest });
        return { way, asked: { kind: 'vote', action, vote, digest } };
      }
      case 'edit': {
        const { changes, isStale } = act;
        const digest = isStale ? first : now;
        const way = post('edits', { changes, payload_digest: digest });
        return { way, asked: { kind: 'edit', action, changes, digest } };
      }
      case 'hand on': {
        const { to } = act;
        const way = post('reassignments', { to: to.map((email) => `user:${email}`) });
        return { way, asked: { kind: 'reassignment', action, to } };
      }
      case 'comment': {
        const comment = `${act.who} wonders (${random.between(0, 2 ** 31)}).`;
        return { way: post('comments', { comment }), asked: { kind: 'comment', action, comment } };
      }
      case 'look':
        return { way: { method: 'GET', path }, asked: { kind: 'approval', action } };
      default:
        return act satisfies never;
    }
  }

  async function take({ action, request, digest }: HeldAction): Promise<void> {
    const askedAt = Date.now();
    const sight = { action, first: digest, digest };
    await sleep(random.between(0, 400), stopping);
    for (const turn of turnsOn(request.action_name, random)) {
      if ('afterMs' in turn) await sleep(Math.max(0, askedAt + turn.afterMs - Date.now()), stopping);
      if (stopping.aborted) return;
      if (!('afterMs' in turn)) await Promise.all(turn.map((act) => carryOut(sight, act)));
    }
  }

  return {
    take(held: HeldAction): void {
      if (!tasks.isFull() && !stopping.aborted) tasks.add(() => take(held));
    },
    /** Somebody looks at the list, all the time. */
    async browse(): Promise<void> {
      while (!stopping.aborted) {
        const ask = random.pick([...asks.values()] as [Ask, ...Ask[]]);
        const way = { method: 'GET', path: '/v1/approvals?status=all&limit=20' };
        await ask(random.pick(gateways), way, { kind: 'approvals' });
        await sleep(random.between(300, 900), stopping);
      }
    },
    settled: () => tasks.settled(),
  };
}

/** What the payload is now, as an answer tells it: to an edit, to a look, or to a vote on another one. */
function digestIn(note: Note): string | undefined {
  return (successOf(note) ?? ('lost' in note.told ? undefined : note.told.body.details))?.payload_digest;
}
