import { releaseAfterEach, startBrowser } from '@placet/testing';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { letters, linksIn, startWithEmail } from '../channels/email-support.ts';
import { held } from '../support.ts';
import { createVisitor } from './visitor.ts';

releaseAfterEach();

async function started() {
  const { smtp, placet } = await startWithEmail();
  const browser = await startBrowser();
  const id = await held(placet, { reasoning: 'The parcel was lost.' });
  const [mail] = await letters(smtp, 'mia@example.com');
  const [link = ''] = linksIn(mail);
  return { smtp, placet, browser, id, mail, url: `${placet.url}${new URL(link).pathname}` };
}

type FoundForm = { action: string; fields: [string, string][]; buttons: [string, string][] };

/** The forms of a page, with something in each field. */
const formsOf = (page: Page) =>
  page.evaluate<FoundForm[]>(`[...document.forms].map((form) => ({
    action: form.action,
    fields: [...new FormData(form)].map(([name, value]) => [name, value || 'scanned']),
    buttons: [...form.querySelectorAll('button')].map(({ name, value }) => [name, value]),
  }))`);

/** What the form that is sent next is answered, when the page that comes of it is there. */
const answerToForm = (page: Page) =>
  Promise.all([
    page.waitForResponse((response) => response.request().method() === 'POST'),
    page.waitForEvent('load'),
  ]).then(([response]) => response.status());

/**
 * Everything that a program can do with a page of which it understands nothing: from within by scripts, by a browser
 * that it drives, and with what it found, without a browser. What it was answered each time.
 */
async function scan(page: Page, url: string): Promise<number[]> {
  const answers: number[] = [];
  await page.goto(url);
  const forms = await formsOf(page);
  for (const [n, { action, fields, buttons }] of forms.entries()) {
    const byScript = [
      'form.submit()',
      'form.requestSubmit()',
      ...buttons.map((_, i) => `buttons[${i}].click()`),
    ];
    for (const act of byScript) {
      await page.goto(url);
      const answered = answerToForm(page);
      await page.evaluate(`(() => {
        const form = document.forms[${n}];
        const buttons = form.querySelectorAll('button');
        for (const field of form.querySelectorAll('textarea, input[type=text]')) field.value ||= 'scanned';
        ${act};
      })()`);
      answers.push(await answered);
    }
    for (const i of buttons.keys()) {
      await page.goto(url);
      const answered = answerToForm(page);
      await page.locator('form').nth(n).locator('button').nth(i).click();
      answers.push(await answered);
    }
    for (const button of buttons) answers.push(await postedAlone(page, action, [...fields, button]));
  }
  return answers;
}

/** As the browser would send it, cookies and all, but from outside, where no policy of the page holds. */
async function postedAlone(page: Page, action: string, fields: [string, string][]): Promise<number> {
  const cookies = await page.context().cookies();
  const { status } = await fetch(action, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams(fields.filter(([name]) => name !== '')),
    headers: {
      cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      origin: new URL(action).origin,
      referer: action,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-user': '?1',
    },
  });
  return status;
}

/** What a person does: reads the digits, and types them. */
async function typeDigits(page: Page): Promise<void> {
  await page.fill('#code', (await page.textContent('label[for=code] strong')) ?? '');
}

test('a program that opens every link of a mail, runs its scripts and sends its forms decides nothing', async () => {
  const { placet, browser, id, mail, url } = await started();
  const page = await browser.newPage();
  for (const link of linksIn(mail)) {
    const answers = await scan(page, `${placet.url}${new URL(link).pathname}`);
    // By scripts, by clicks and without a browser, with each of the two buttons; all were asked for the digits.
    expect(answers).toEqual(Array(8).fill(422));
  }
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('pending');
  expect((await placet.admin.get(`/v1/approvals/${id}`)).body.votes).toEqual([]);
  // And the link still serves whom it was sent to.
  await page.goto(url);
  await typeDigits(page);
  await page.click('button[value=approve]');
  await page.waitForURL(/said=decided/);
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('allowed');
});

test('nor does it sign in by a mailed link, which still serves whom it was sent to', async () => {
  const { smtp, placet } = await startWithEmail();
  const browser = await startBrowser();
  await createVisitor(placet.url).send('/sign-in', { email: 'mia@example.com' });
  const [mail] = await letters(smtp, 'mia@example.com');
  const path = /\/sign-in\/[\w-]{43}/.exec(mail?.text ?? '')?.[0] ?? expect.fail('no link');
  const scanner = await browser.newPage();
  expect(await scan(scanner, `${placet.url}${path}`)).toEqual(Array(5).fill(422));
  expect(await scanner.context().cookies()).toEqual([]);
  await scanner.goto(`${placet.url}/account`);
  expect(new URL(scanner.url()).pathname).toBe('/sign-in');

  const mia = await browser.newPage();
  await mia.goto(`${placet.url}${path}`);
  await typeDigits(mia);
  await mia.click('main button');
  await mia.waitForURL(`${placet.url}/approvals`);
});

test('a person signs in with a link, finds what waits, and decides with the keyboard alone', async () => {
  const { placet, browser, id } = await started();
  const mia = (await placet.admin.get('/v1/people')).body.people.find(
    ({ email }: { email: string }) => email === 'mia@example.com',
  );
  const made = (await placet.admin.post(`/v1/people/${mia.id}/sign-in-links`)).body;
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${placet.url}${new URL(made.url).pathname}`);
  await page.click('main button');
  await page.waitForURL(`${placet.url}/approvals`);
  await page.click('text=my-agent: refund.create');
  await page.waitForURL(`${placet.url}/approvals/${id}`);
  expect(await page.textContent('main')).toContain('The parcel was lost.');
  await page.focus('#comment');
  await page.keyboard.type('Not today.');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/said=decided/);
  const { body } = await placet.agent.get(`/v1/check/${id}`);
  expect(body).toMatchObject({ decision: 'denied', reason: 'Not today.' });
});

test('what an agent writes runs nowhere', async () => {
  const { placet, browser } = await started();
  const text =
    '"><script>document.title="run"</script><img src=x onerror="document.title=\'run\'"><style>*{display:none}</style>';
  const id = await held(placet, {
    payload: { [text]: text },
    reasoning: text,
    excerpt: [text],
    case: text.slice(0, 60),
  });
  const context = await browser.newContext();
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => problems.push(message.text()));
  const { person } = { person: (await placet.admin.get('/v1/people/me')).body.id };
  const made = (await placet.admin.post(`/v1/people/${person}/sign-in-links`)).body;
  await page.goto(`${placet.url}${new URL(made.url).pathname}`);
  await page.click('main button');
  for (const path of ['/approvals?show=open', `/approvals/${id}`]) {
    await page.goto(`${placet.url}${path}`);
    expect(await page.title()).not.toBe('run');
    expect(await page.isVisible('header.top')).toBe(true);
  }
  expect(problems).toEqual([]);
});
