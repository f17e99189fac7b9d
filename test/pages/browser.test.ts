import { releaseAfterEach, startBrowser } from '@placet/testing';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { letters, linksIn, startWithEmail } from '../channels/email-support.ts';
import { held } from '../support.ts';

releaseAfterEach();

async function started() {
  const { smtp, placet } = await startWithEmail();
  const browser = await startBrowser();
  const id = await held(placet, { reasoning: 'The parcel was lost.' });
  const [mail] = await letters(smtp, 'mia@example.com');
  const [link = ''] = linksIn(mail);
  return { smtp, placet, browser, id, mail, url: `${placet.url}${new URL(link).pathname}` };
}

/** Everything that a program can do with a page of which it understands nothing. */
async function scan(page: Page): Promise<void> {
  // Playwright lets what it evaluates count as pressed by hand.
  await page.evaluate(`(async () => {
    const settle = () => new Promise((done) => setTimeout(done, 100));
    for (const form of document.forms) {
      const frame = document.createElement('iframe');
      frame.name = 'frame-' + Math.random();
      document.body.append(frame);
      form.target = frame.name;
      for (const field of form.querySelectorAll('textarea, input[type=text]')) {
        field.value = 'scanned';
      }
      form.submit();
      form.requestSubmit();
      for (const button of form.querySelectorAll('button')) {
        form.requestSubmit(button);
        button.click();
        button.dispatchEvent(new MouseEvent('click', { bubbles: true }));
      }
      const body = new URLSearchParams(new FormData(form));
      for (const button of form.querySelectorAll('button')) {
        if (button.name !== '') body.set(button.name, button.value);
        await fetch(form.action, { method: 'POST', body }).catch(() => {});
      }
      await settle();
    }
  })()`);
}

test('a program that opens every link of a mail, runs its scripts and sends its forms decides nothing', async () => {
  const { placet, browser, id, mail, url } = await started();
  const page = await browser.newPage();
  for (const link of linksIn(mail)) {
    await page.goto(`${placet.url}${new URL(link).pathname}`);
    await scan(page);
    // With real clicks, as by a program that drives a browser.
    for (const button of ['approve', 'reject']) {
      await page.goto(`${placet.url}${new URL(link).pathname}`);
      await page.click(`button[value=${button}]`);
      await page.waitForSelector('.notice.problem');
      await scan(page);
    }
  }
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('pending');
  expect((await placet.admin.get(`/v1/approvals/${id}`)).body.votes).toEqual([]);
  // And the link still serves whom it was sent to.
  await page.goto(url);
  await page.fill('#code', (await page.textContent('label[for=code] strong')) ?? '');
  await page.click('button[value=approve]');
  await page.waitForURL(/said=decided/);
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('allowed');
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
