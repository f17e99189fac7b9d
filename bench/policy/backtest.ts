import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { BacktestResult } from '@placet/policy';
import type { Load } from '../children.ts';
import { table } from '../measure.ts';
import { sender } from '../placet/measure-placet.ts';
import { openProjections } from '../placet/projections.ts';
import { type Running, type Shape, shapes } from '../placet/shapes.ts';
import { policyOf } from './policy.ts';

const requestsCount = 100_000;
const secondsMax = 20;

/** None of the conditions holds, so that each rule for the action is looked at; the last one counts. */
const candidateOf = (actionOf: (n: number) => string) =>
  policyOf(
    actionOf,
    (n) => `size(action.name) > ${100 + n} && agent.id == "my-agent" && size(payload) < 9`,
  ).replace(
    'default:',
    '  - { name: counted, action: "*", decide: allow, limit: { count: 50000, per: 31d, by: agent.id } }\ndefault:',
  );
/** As policies are written, and as the index by the action's name does not help. */
const candidates = {
  '5 of 200 rules for the action': candidateOf((n) => (n % 40 === 0 ? 'read' : `area${n % 40}.*`)),
  'all 200 rules for the action': candidateOf(() => '*'),
};

export async function measureBacktest(
  natsServer: string,
  generator: Load,
  scale: number,
  say: (line: string) => void,
): Promise<{ text: string; missed: string[] }> {
  const count = requestsCount * scale;
  const rows: (string | number)[][] = [];
  const missed: string[] = [];
  for (const shape of ['one', 'five'] as const satisfies readonly Shape[]) {
    const running = await shapes[shape]({ natsServer, syncAlways: false });
    const projections = openProjections(running.dataDir);
    try {
      say(`${count} checks, ${shape} …`);
      await sender(running, projections, generator)(64, count);
      for (const [what, candidate] of Object.entries(candidates)) {
        const begun = performance.now();
        const { requests, changed } = await backtest(running, candidate);
        const seconds = (performance.now() - begun) / 1000;
        if (requests !== count) throw new Error(`${requests} of ${count} requests were judged`);
        rows.push([`${shape}, ${what}`, requests, changed, seconds, requests / seconds]);
        const allowed = secondsMax * scale;
        if (seconds > allowed)
          missed.push(`a backtest of ${count} requests takes ${allowed} s at most: ${shape}, ${what}`);
      }
    } finally {
      projections.close();
      await running.close();
    }
  }
  return { text: table(['Placet', 'requests', 'changed', 'seconds', 'a second'], rows), missed };
}

async function backtest({ url, personToken }: Running, candidate: string): Promise<BacktestResult> {
  const response = await fetch(`${url}/v1/policies/default/backtest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${personToken}`, 'content-type': 'application/yaml' },
    body: candidate,
  });
  if (response.status !== 200 || !response.body) throw new Error(await response.text());
  let last = '';
  for await (const line of createInterface(Readable.fromWeb(response.body as ReadableStream))) last = line;
  const { result } = JSON.parse(last) as { result?: BacktestResult };
  if (!result) throw new Error(last);
  return result;
}
