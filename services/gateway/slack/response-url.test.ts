import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tellPrivately } from './response-url.ts';

const heard: string[] = [];
const server = createServer((request, response) => {
  heard.push(request.url ?? '');
  response.end();
});
let origin = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const slack = 'https://slack.com/api/';

test('an address that is not of Slack is told nothing, whoever sends it', async () => {
  for (const url of [
    `${origin}/hook`,
    `${origin}@hooks.slack.com/`,
    'not an address',
    undefined,
    'file:///etc/passwd',
  ]) {
    await tellPrivately(url, 'hello', slack);
  }
  // Nor while another API is set, but its own.
  await tellPrivately(`${origin}/elsewhere`, 'hello', 'http://127.0.0.1:9/api/');
  expect(heard).toEqual([]);
});

test('the API that is set in place of Slack is', async () => {
  await tellPrivately(`${origin}/actions/1`, 'hello', `${origin}/api/`);
  expect(heard).toEqual(['/actions/1']);
});
