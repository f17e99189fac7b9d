import { type Client, eventually, type Reply } from '@placet/testing';
import { expect } from 'vitest';

const workers = 6;

/** Agents that ask one thing after another, each until it is answered, as long as they are let. */
export function startLoad(agent: Client) {
  const ids: string[] = [];
  const refused: Reply[] = [];
  let stopping = false;

  async function work(worker: number): Promise<void> {
    for (let n = 1; !stopping; n++) {
      const request = { action_name: 'allow.it', payload: { n }, idempotency_key: `${worker}-${n}` };
      ids.push(
        await eventually(async () => {
          const reply = await agent.check(request);
          if (reply.status !== 200) {
            refused.push(reply);
            throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`);
          }
          return reply.body.action_id as string;
        }, 50_000),
      );
    }
  }

  const working = Promise.all(Array.from({ length: workers }, (_, n) => work(n)));
  working.catch(() => {});
  return {
    refusals: () => refused,
    async moreAnswers(count: number): Promise<void> {
      const goal = ids.length + count;
      await eventually(() => expect(ids.length).toBeGreaterThanOrEqual(goal), 50_000);
    },
    async stop(): Promise<string[]> {
      stopping = true;
      await working;
      return ids;
    },
  };
}
