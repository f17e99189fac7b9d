import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstSignInLink, prepareFirstStart, readPlacetSettings, startPlacet } from '@placet/embedded';
import { createLogger } from '@placet/runtime';
import { launchBrowser } from '@placet/testing/browser.ts';
import type { Browser } from 'playwright-core';

/** `npm run pictures`: the pages as they look, for docs/images, made from a Placet of its own. */
const images = join(import.meta.dirname, '..', 'docs', 'images');

const policy = `
version: 1
rules:
  - name: refunds over 100
    action: refund.*
    decide: require_approval
    quorum: 2
    editable: [payload.amount]
    reason: Refunds over 100 need two people.
default: require_approval
`;

const asked = [
  {
    action_name: 'refund.create',
    payload: { amount: 1200, currency: 'EUR', customer: 'c-17', order: 'A-8812' },
    reasoning: 'The parcel was lost twice, and the carrier has confirmed it.',
    case: 'ticket-4411',
    priority: 'urgent',
    accepts: ['edits'],
    timeout: '15m',
  },
  {
    action_name: 'vm.resize',
    payload: { machine: 'db-3' },
    reasoning: 'Its memory has been full three times this week.',
    answer_schema: {
      type: 'object',
      properties: {
        memory_gb: { type: 'integer', title: 'How much memory, in GB' },
        days: {
          type: 'array',
          title: 'On which days it may be restarted',
          items: { type: 'string', enum: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] },
        },
      },
      required: ['memory_gb'],
    },
    timeout: '45m',
  },
] as const;

async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'placet-pictures-'));
  const settings = readPlacetSettings({ PLACET_PORT: '0', PLACET_DATA: dir });
  const natsServer = process.env['NATS_SERVER'] ?? 'nats-server';
  const placet = await startPlacet({ settings, natsServer, logger: createLogger({ level: 'error' }) });
  const browser = await launchBrowser();
  try {
    const credentials = await prepareFirstStart(placet.gateway, settings);
    await placet.gateway.policies.put('default', policy, { by: 'pictures' });
    const { url } = placet.gateway;
    const ids = await Promise.all(asked.map((action) => ask(url, credentials.agentKey, action)));
    const signIn = await firstSignInLink(placet.gateway, credentials, url);
    if (signIn === null) throw new Error('there is no link to sign in with');
    mkdirSync(images, { recursive: true });
    await takeAll(browser, { url, signIn, ids });
  } finally {
    await browser.close();
    await placet.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function ask(url: string, key: string, action: object): Promise<string> {
  const response = await fetch(`${url}/v1/check`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(action),
  });
  const { action_id } = (await response.json()) as { action_id: string };
  return action_id;
}

type Subject = { url: string; signIn: string; ids: string[] };

async function takeAll(browser: Browser, { url, signIn, ids }: Subject): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 880, height: 600 } });
  const page = await context.newPage();
  const take = async (name: string, path: string) => {
    await page.goto(`${url}${path}`);
    await page.screenshot({ path: join(images, `${name}.png`), fullPage: true });
    process.stdout.write(`docs/images/${name}.png\n`);
  };
  await page.goto(signIn);
  await page.getByRole('button').click();
  await page.waitForURL('**/approvals');
  await take('list', '/approvals');
  await take('approval', `/approvals/${ids[0]}`);
  await take('question', `/approvals/${ids[1]}`);
  await page.setViewportSize({ width: 390, height: 700 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await take('phone', `/approvals/${ids[0]}`);
}

await main();
