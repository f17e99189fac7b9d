import { sleep } from '@placet/runtime';
import type { HeldAction } from './agents.ts';
import { type Ask, createAsker, isToRepeat } from './asking.ts';
import type { Random } from './random.ts';
import { createTasks, type Scene } from './scene.ts';

export type Voter = { email: string; token: string };
type Ballot = { email: string; vote: 'approve' | 'reject' };

const atOnceMax = 40;
const attemptsMax = 15;

/** People who vote on what is held: alone, one after another, against each other, without being asked, or not at all. */
export function createVoters(scene: Scene, voters: readonly Voter[]) {
  const { gateways, random, stopping, notes } = scene;
  const tasks = createTasks(atOnceMax);
  const asks = new Map(voters.map(({ email, token }) => [email, createAsker(email, token, notes)]));

  async function vote(action: string, { email, vote }: Ballot): Promise<void> {
    const ask = asks.get(email) as Ask;
    const way = { method: 'POST', path: `/v1/approvals/${action}/votes`, body: { vote } };
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const note = await ask(random.pick(gateways), way, { kind: 'vote', action, vote });
      // Who is impatient clicks twice.
      if (!isToRepeat(note) && !random.isChance(0.1)) return;
      if (stopping.aborted) return;
      await sleep(random.between(50, 400), stopping);
    }
  }

  async function poll({ action, actionName }: HeldAction): Promise<void> {
    await sleep(random.between(0, 400), stopping);
    for (const together of ballotsOn(actionName, random)) {
      if (stopping.aborted) return;
      await Promise.all(together.map((ballot) => vote(action, ballot)));
    }
  }

  return {
    take(held: HeldAction): void {
      if (!tasks.isFull() && !stopping.aborted) tasks.add(() => poll(held));
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

const approves = (email: string): Ballot => ({ email: `${email}@example.com`, vote: 'approve' });
const rejects = (email: string): Ballot => ({ email: `${email}@example.com`, vote: 'reject' });

/** Who votes what: those of one list at the same time, the lists one after another. */
function ballotsOn(actionName: string, random: Random): Ballot[][] {
  const nobody: Ballot[][] = [];
  const uninvited = [approves('out'), approves(actionName === 'wire.send' ? 'ana' : 'tia')];
  if (actionName === 'wire.send') {
    const treasurer = random.pick(['tia', 'tom']);
    const controller = random.pick(['cem', 'cho']);
    return random.pick([
      [[approves(treasurer), approves(controller)]],
      [[approves(controller)], [approves(treasurer)]],
      [[approves(treasurer)], [approves(controller)]],
      [[approves(treasurer)], [rejects(controller)]],
      [[approves('tia'), approves('tom')]],
      [[...uninvited, approves(treasurer)]],
      nobody,
    ]);
  }
  const approver = random.pick(['ana', 'ben']);
  return random.pick([
    [[approves(approver)]],
    [[approves(approver)]],
    [[rejects(approver)]],
    [[approves('ana'), rejects('ben')]],
    [uninvited, [approves(approver)]],
    [[approves('ana'), approves('ben')]],
    nobody,
  ]);
}
