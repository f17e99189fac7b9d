import { load, type Sample, summarise } from '../measure.ts';
import { type Connection, openConnection, requestBytes } from './connection.ts';

/** The same request again and again, from so many callers at a time. */
export type RequestsJob = {
  kind: 'requests';
  url: string;
  path: string;
  credential?: string;
  body: unknown;
  /** What each answer has to hold. */
  expected: string;
  callers: number;
  total: number;
};
/** From the moment a vote is sent until the agent, which waits with `?wait=30`, has its answer. */
export type VotesJob = {
  kind: 'votes';
  url: string;
  agentKey: string;
  personToken: string;
  total: number;
};
export type Job = RequestsJob | VotesJob;
export type JobResult = Sample & { perSecond: number };

const warmUpVotes = 20;

export function runJob(job: Job): Promise<JobResult> {
  return job.kind === 'requests' ? requests(job) : votes(job);
}

async function requests(job: RequestsJob): Promise<JobResult> {
  const { url, path, credential, body, expected, callers, total } = job;
  const bytes = requestBytes('POST', path, { credential, body });
  const connections = await Promise.all(Array.from({ length: callers }, () => openConnection(url)));
  try {
    return await load(callers, total, async (_n, caller) => {
      const answer = await (connections[caller] as Connection).send(bytes);
      if (!answer.includes(expected)) throw new Error(`an answer without ${expected}: ${answer}`);
    });
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function votes({ url, agentKey, personToken, total }: VotesJob): Promise<JobResult> {
  const [waiting, agent, person] = (await Promise.all([1, 2, 3].map(() => openConnection(url)))) as [
    Connection,
    Connection,
    Connection,
  ];
  const ask = requestBytes('POST', '/v1/check', { credential: agentKey, body: { action_name: 'pay' } });
  const times: number[] = [];
  const started = performance.now();
  try {
    for (let n = 0; n < total + warmUpVotes; n++) {
      const { action_id } = JSON.parse(String(await agent.send(ask))) as { action_id: string };
      let answered = 0;
      const path = `/v1/check/${action_id}`;
      const answer = waiting.send(requestBytes('GET', `${path}?wait=30`, { credential: agentKey }));
      const noted = answer.then((body) => {
        answered = performance.now();
        return String(body);
      });
      // The waiting caller has to be there first: an answer to any later request means that it was taken.
      await agent.send(requestBytes('GET', path, { credential: agentKey }));
      const vote = { credential: personToken, body: { vote: 'approve' } };
      const sent = performance.now();
      await person.send(requestBytes('POST', `/v1/approvals/${action_id}/votes`, vote));
      const body = await noted;
      if (!body.includes('"decision":"allowed"')) throw new Error(`an approved action was answered ${body}`);
      if (n >= warmUpVotes) times.push(answered - sent);
    }
  } finally {
    for (const connection of [waiting, agent, person]) connection.close();
  }
  return { ...summarise(times), perSecond: (times.length * 1000) / (performance.now() - started) };
}
