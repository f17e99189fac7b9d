import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { liveSubject, subjectFor, typeFilter } from '@placet/events';
import { connectChain, createPublish, requestedBody } from './chain.ts';

/** The gateway's place in the bare chain: takes a request, publishes it, and answers with what comes out live. */
const nc = await connectChain();
const publish = createPublish(nc);
const waiting = new Map<string, (body: Uint8Array) => void>();

nc.subscribe(liveSubject(typeFilter('action.decided')), {
  callback: (_error, message) => {
    const action = message.subject.split('.')[3] ?? '';
    waiting.get(action)?.(message.data);
    waiting.delete(action);
  },
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    JSON.parse(Buffer.concat(chunks).toString());
    const action = `act_${randomUUID().replaceAll('-', '')}`;
    const decided = new Promise<Uint8Array>((resolve) => waiting.set(action, resolve));
    const subject = subjectFor('action.requested', { agent: 'bench', action_id: action });
    await publish(subject, action, 0, randomUUID(), requestedBody(action));
    const body = await decided;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', async () => {
  await nc.flush();
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on('disconnect', () => process.exit(0));
