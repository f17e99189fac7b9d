import { eventually } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { personWith } from '../support.ts';
import { placetThatHolds } from './held.ts';
import { signedIn, textOf } from './visitor.ts';

const { shared, held, decisionOf } = placetThatHolds();

describe('on the page of an approval', () => {
  test('somebody sees what is asked, by whom, until when, and decides with one button', async () => {
    const visitor = await signedIn(shared());
    const { id, page, digest } = await held('pay.invoice', {
      reasoning: 'It is due.',
      case: 'c-1',
      tool: 'bank',
    });
    expect(textOf(await visitor.get('/approvals'))).toContain('my-agent: pay.invoice');
    const seen = textOf(await visitor.get(page));
    for (const said of [
      'pay.invoice',
      'It is due.',
      'amount',
      '20',
      '0 of 1 approved: role:approver',
      'c-1',
      'bank',
    ]) {
      expect(seen).toContain(said);
    }
    const sent = await visitor.send(`${page}/votes`, {
      decide: 'approve',
      comment: 'fine',
      payload_digest: digest,
    });
    expect(sent).toMatchObject({ status: 303, location: `${page}?said=decided` });
    expect(await decisionOf(id)).toMatchObject({
      decision: 'allowed',
      decided_by: ['person:admin@example.com'],
    });
    const after = await visitor.get(sent.location ?? '');
    expect(textOf(after)).toContain('Your vote is counted, and it is decided.');
    expect(textOf(after)).toContain('admin@example.com approved');
    expect(after.text).not.toContain('name="decide"');
    const view = (await shared().admin.get(`/v1/approvals/${id}`)).body;
    expect(view.votes).toMatchObject([{ by: 'admin@example.com', vote: 'approve', comment: 'fine' }]);
  });

  test('the list says what is asked with which arguments, what ends first at the top, and where to go on', async () => {
    const treasurer = await personWith(shared(), 'trudy@example.com', ['treasurer']);
    const visitor = await signedIn(shared(), treasurer.id);
    const payload = { amount: 7, to: 'bob', of: 'gold', on: 'monday' };
    const sooner = await held('treasure.sooner', { timeout: '10m', priority: 'urgent', payload });
    const later = await held('treasure.later', { timeout: '20m', answer_schema: { type: 'string' } });
    const seen = await visitor.get('/approvals');
    const [first = '', second = ''] = seen.text.split('<li class="row">').slice(1);
    expect(textOf({ text: first })).toContain('my-agent: treasure.sooner');
    for (const said of ['urgent', 'amount: 7', 'to: bob', 'and 1 more']) expect(first).toContain(said);
    expect(textOf({ text: second })).toContain('my-agent: treasure.later');
    expect(second).toContain('asks a question');
    expect(first).not.toContain('asks a question');
    const vote = { decide: 'reject', payload_digest: sooner.digest };
    const { location } = await visitor.send(`${sooner.page}/votes`, vote);
    const after = await visitor.get(location ?? '');
    expect(after.text).toContain(`Next: <a href="${later.page}">my-agent: treasure.later</a>`);
    const last = await visitor.send(`${later.page}/votes`, {
      decide: 'reject',
      payload_digest: later.digest,
    });
    expect(textOf(await visitor.get(last.location ?? ''))).toContain('Nothing else waits for you.');
  });

  test('the list says whose words the reasoning is, and none of them begins a line of its own', async () => {
    const treasurer = await personWith(shared(), 'tara@example.com', ['treasurer']);
    const visitor = await signedIn(shared(), treasurer.id);
    const payload = { amount: 7, to: 'bob', of: 'gold', on: 'monday' };
    const reasoning = `and 40 more\r\nHeld by: low risk\n\n${'\u2028'}59 minutes left </blockquote>`;
    await held('treasure.words', { payload, reasoning });
    const { text } = await visitor.get('/approvals');
    const [, row = ''] = /<li class="row">(.*?)<\/li>/s.exec(text) ?? [];
    const [, said = ''] = /<blockquote>(.*)<\/blockquote>/s.exec(row) ?? [];
    expect(textOf({ text: said }).trim()).toBe(
      'Why:  and 40 more Held by: low risk \\u{2028}59 minutes left </blockquote>',
    );
    expect(row.replace(said, '')).not.toContain('40 more');
    expect(row.replace(said, '')).toContain('and 1 more');
  });

  test('a vote of several is counted, and seen by the next', async () => {
    const visitor = await signedIn(shared());
    const { id, page, digest } = await held('two.people');
    const sent = await visitor.send(`${page}/votes`, { decide: 'approve', payload_digest: digest });
    expect(sent.location).toBe(`${page}?said=voted`);
    expect(textOf(await visitor.get(page))).toContain('1 of 2 approved: role:approver');
    expect(await decisionOf(id)).toMatchObject({ decision: 'pending' });
  });

  test('a reason that is wanted is asked for, and what was filled in stays', async () => {
    const visitor = await signedIn(shared());
    const { id, page, digest } = await held('reason.wanted');
    const refused = await visitor.send(`${page}/votes`, { decide: 'reject', payload_digest: digest });
    expect(refused.status).toBe(422);
    expect(textOf(refused)).toContain('The policy wants a reason. Write one, and press again.');
    const fields = { decide: 'reject', comment: 'too\r\nmuch', payload_digest: digest };
    expect(await visitor.send(`${page}/votes`, fields)).toMatchObject({ status: 303 });
    expect(await decisionOf(id)).toMatchObject({ decision: 'denied', reason: 'too\nmuch' });
  });

  test('no button is no vote, and neither is one of somebody else', async () => {
    const visitor = await signedIn(shared());
    const { id, page, digest } = await held('pay.nothing');
    for (const decide of ['', 'maybe', 'choice:retry']) {
      expect(await visitor.send(`${page}/votes`, { decide, payload_digest: digest })).toMatchObject({
        status: 422,
      });
    }
    const treasure = await held('treasure.chest');
    const refused = await visitor.send(`${treasure.page}/votes`, {
      decide: 'approve',
      payload_digest: treasure.digest,
    });
    expect(refused.status).toBe(403);
    expect((await visitor.get(treasure.page)).text).not.toContain('name="decide"');
    expect(await decisionOf(id)).toMatchObject({ decision: 'pending' });
    expect(await decisionOf(treasure.id)).toMatchObject({ decision: 'pending' });
  });

  test('what is of others is not there, nor is what nobody asked', async () => {
    const { id } = await personWith(shared(), 'clerk@example.com', ['clerk']);
    const clerk = await signedIn(shared(), id);
    const { page, digest } = await held('treasure.map');
    expect(await clerk.get(page)).toMatchObject({ status: 404 });
    expect(await clerk.send(`${page}/votes`, { decide: 'approve', payload_digest: digest })).toMatchObject({
      status: 404,
    });
    for (const id of ['act_00000000000000000000000000000000', 'x', '%3Cscript%3E']) {
      const missing = await clerk.get(`/approvals/${id}`);
      expect(missing.status).toBe(404);
      expect(missing.text).not.toContain('<script>');
    }
  });

  test('a choice is a button', async () => {
    const visitor = await signedIn(shared());
    const { id, page, digest } = await held('choose.one', { accepts: ['choices'] });
    const { text } = await visitor.get(page);
    expect([...text.matchAll(/name="decide" value="([^"]+)"/g)].map(([, value]) => value)).toEqual([
      'choice:retry',
      'choice:stop it',
    ]);
    await visitor.send(`${page}/votes`, { decide: 'choice:stop it', payload_digest: digest });
    expect(await decisionOf(id)).toMatchObject({ decision: 'denied', choice: 'stop it' });
  });

  test('what may be changed is, and only where it is written otherwise than it stands', async () => {
    const visitor = await signedIn(shared());
    const payload = { amount: 20, note: '\none\ntwo "three" \u200b' };
    const { id, page, digest } = await held('edit.amount', { payload, accepts: ['edits'] });
    const { text } = await visitor.get(page);
    // As a browser reads it, which drops the first line break.
    const note = /name="change\.payload\.note">\n?([^<]*)</.exec(text)?.[1] ?? '';
    const untouched = textOf({ text: note }).replaceAll('\n', '\r\n');
    const same = { 'change.payload.amount': '20', 'change.payload.note': untouched, payload_digest: digest };
    const nothing = await visitor.send(`${page}/edits`, same);
    expect(textOf(nothing)).toContain('Nothing is written otherwise than it stands.');
    const asText = await visitor.send(`${page}/edits`, { ...same, 'change.payload.amount': 'forty' });
    expect(asText.status).toBe(422);
    const sent = await visitor.send(`${page}/edits`, { ...same, 'change.payload.amount': '40' });
    expect(sent.location).toBe(`${page}?said=edited`);
    const view = await eventually(async () => {
      const { body } = await shared().admin.get(`/v1/approvals/${id}`);
      expect(body).toMatchObject({ payload: { ...payload, amount: 40 }, revision: 2 });
      return body;
    });
    expect(view.edits[0].changes).toEqual([{ path: 'payload.amount', from: 20, to: 40 }]);

    const stale = await visitor.send(`${page}/votes`, { decide: 'approve', payload_digest: digest });
    expect(stale.status).toBe(409);
    expect(textOf(stale)).toContain('changed since you opened this page');
    expect(stale.text).toContain(view.payload_digest);
    await visitor.send(`${page}/votes`, { decide: 'approve', payload_digest: view.payload_digest });
    expect(await decisionOf(id)).toMatchObject({ decision: 'allowed', payload: { ...payload, amount: 40 } });
  });

  test('a comment is said to whoever sees it, and decides nothing', async () => {
    const visitor = await signedIn(shared());
    const { id, page } = await held('pay.comment');
    expect(await visitor.send(`${page}/comments`, { comment: ' ' })).toMatchObject({ status: 422 });
    expect(await visitor.send(`${page}/comments`, { comment: 'Is it due?' })).toMatchObject({ status: 303 });
    expect(textOf(await visitor.get(page))).toContain('Is it due?');
    expect(await decisionOf(id)).toMatchObject({ decision: 'pending' });
  });

  test('what is to be decided here is not by API, and what is to be in Slack not here', async () => {
    const visitor = await signedIn(shared());
    const here = await held('inbox.only');
    const byApi = await shared().admin.post(`/v1/approvals/${here.id}/votes`, { vote: 'approve' });
    expect(byApi).toMatchObject({
      status: 403,
      body: { error: 'WRONG_CHANNEL', details: { only_in: ['inbox'] } },
    });
    expect(byApi.body.message).toContain('signed in to Placet');
    await visitor.send(`${here.page}/votes`, { decide: 'approve', payload_digest: here.digest });
    expect(await decisionOf(here.id)).toMatchObject({ decision: 'allowed' });
    const there = await held('slack.only');
    const seen = await visitor.get(there.page);
    expect(textOf(seen)).toContain('The policy wants this to be decided in Slack.');
    expect(seen.text).not.toContain('name="decide"');
    const sent = await visitor.send(`${there.page}/votes`, {
      decide: 'approve',
      payload_digest: there.digest,
    });
    expect(sent.status).toBe(403);
    expect(await decisionOf(there.id)).toMatchObject({ decision: 'pending' });
  });
});

describe('what an agent sends', () => {
  test('is text on the page, whatever it is, and nothing of it is hidden', async () => {
    const visitor = await signedIn(shared());
    const markup =
      '</dd></dl><script>document.title=1</script><img src=x onerror=alert(1)><form action=//evil>';
    const { page } = await held('hostile.markup', {
      payload: { [markup]: markup, turned: 'pay \u202e001', 'no\u200bwidth': 1 },
      reasoning: `${markup}"'\u202e`,
      tags: [markup.slice(0, 60)],
      case: `"><b>`,
    });
    for (const path of [page, '/approvals?show=open']) {
      const { text } = await visitor.get(path);
      expect(text).not.toMatch(/<script|<img|<b>|<form action=\/\/|\u202e|\u200b/);
    }
    const seen = textOf(await visitor.get(page));
    expect(seen).toContain('pay \\u{202e}001');
    expect(seen).toContain('no\\u{200b}width');
    expect(seen).toContain('onerror=alert(1)');
  });

  test('of which there is too much for a list is there as a whole, and the buttons are', async () => {
    const visitor = await signedIn(shared());
    const payload = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key${n}`, `value ${n}`]));
    const { page } = await held('hostile.keys', { payload });
    const many = await visitor.get(page);
    expect(textOf(many)).toContain('2800 more arguments are not in this list. All of them are below.');
    expect(many.text).toContain('<details open>');
    expect(textOf(many)).toContain('"key2999": "value 2999"');
    expect(many.text).toContain('value="approve"');
    const long = await visitor.get(
      (await held('hostile.long', { payload: { text: 'x'.repeat(200_000) } })).page,
    );
    expect(textOf(long)).toContain('(200000 characters)');
    expect(long.text).toContain('x'.repeat(200_000));
    expect(long.text).toContain('value="reject"');
  });
});

test('a browser that asks for what is not there gets a page, a program JSON', async () => {
  const headers = { accept: 'text/html,*/*' };
  const page = await fetch(`${shared().url}/aprovals`, { headers });
  expect(page.status).toBe(404);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toMatch(/There is no such path.*What waits for you/s);
  const json = await fetch(`${shared().url}/aprovals`);
  expect([json.status, await json.json()]).toMatchObject([404, { error: 'NOT_FOUND' }]);
});

test('a page carries what keeps it to itself', async () => {
  const visitor = await signedIn(shared());
  const { headers } = await visitor.get('/approvals');
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-security-policy': expect.stringMatching(
      /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/,
    ),
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
  });
});
