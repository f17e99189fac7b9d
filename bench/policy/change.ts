import { setTimeout as sleep } from 'node:timers/promises';
import { summarise, table } from '../measure.ts';
import { type Running, shapes } from '../placet/shapes.ts';

const callers = 16;
const changesCount = 50;
const betweenMs = 300;
const lagMaxMs = 1000;

const textOf = (n: number) => `version: 1\nrules:\n  - { name: "${n}", action: "*", decide: allow }\n`;

/** A check: when it was asked, and by which text it was decided. */
type Check = { at: number; text: number };

export async function measureChange(
  natsServer: string,
  scale: number,
  say: (line: string) => void,
): Promise<{ text: string; missed: string[] }> {
  const running = await shapes.five({ natsServer, syncAlways: false, instances: { policy: 3 } });
  try {
    const checks: Check[] = [];
    let isOver = false;
    await put(running, 0);
    const asking = Promise.all(
      Array.from({ length: callers }, async () => {
        while (!isOver) checks.push(await check(running));
      }),
    );
    const sent: number[] = [performance.now()];
    const count = Math.max(5, Math.round(changesCount * scale));
    say(`${count} changes …`);
    for (let n = 1; n <= count; n++) {
      await sleep(betweenMs);
      sent.push(performance.now());
      await put(running, n);
    }
    await sleep(lagMaxMs);
    isOver = true;
    await asking;
    // An older text than the one that was sent before the check was asked for is one too late.
    const lags = sent
      .slice(1)
      .map((at, k) =>
        checks.reduce((lag, one) => (one.text <= k && one.at > at ? Math.max(lag, one.at - at) : lag), 0),
      );
    const { p50, p99, max } = summarise(lags);
    return {
      text: table(
        ['milliseconds', 'p50', 'p99', 'max', 'changes', 'checks'],
        [['an old text still decides', p50, p99, max, count, checks.length]],
      ),
      missed: max > lagMaxMs ? [`a change counts everywhere within ${lagMaxMs} ms`] : [],
    };
  } finally {
    await running.close();
  }
}

async function put({ url, personToken }: Running, n: number): Promise<void> {
  const response = await fetch(`${url}/v1/policies/guardrail`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${personToken}`, 'content-type': 'application/yaml' },
    body: textOf(n),
  });
  if (response.status !== 200) throw new Error(await response.text());
}

async function check({ url, agentKey }: Running): Promise<Check> {
  const at = performance.now();
  const response = await fetch(`${url}/v1/check`, {
    method: 'POST',
    headers: { authorization: `Bearer ${agentKey}`, 'content-type': 'application/json' },
    body: '{"action_name":"read"}',
  });
  const { rule } = (await response.json()) as { rule: string };
  return { at, text: Number(rule) };
}
