import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { releaseAfterEach, releaseAfterTest } from '../cleanup.ts';
import { eventually } from '../eventually.ts';
import { type FakeSmtp, type SmtpOptions, startFakeSmtp } from './smtp.ts';

releaseAfterEach();

const letter = { from: 'Placet <placet@example.com>', subject: 'A refund waits – €20', text: 'Decide.' };

async function started(options: SmtpOptions = {}) {
  const smtp = await startFakeSmtp(options);
  return { smtp, send: sender(smtp) };
}

/** The real client, to one person. */
function sender({ url }: FakeSmtp, login?: { user: string; pass: string }) {
  const { hostname: host, port } = new URL(url);
  const transport = createTransport({ host, port: Number(port), ...(login ? { auth: login } : {}) });
  releaseAfterTest('transport', () => transport.close());
  return (to: string | string[], rest: object = {}) => transport.sendMail({ ...letter, to, ...rest });
}

describe('a letter', () => {
  it('is received, and read', async () => {
    const { smtp, send } = await started();
    await send(['ann@example.com', 'ben@example.com'], {
      bcc: 'cid@example.com',
      html: '<p>Decide.</p>',
      headers: { 'Auto-Submitted': 'auto-generated' },
      messageId: '<case-1@placet>',
    });
    expect(smtp.mails).toMatchObject([
      {
        envelope: {
          from: 'placet@example.com',
          to: ['ann@example.com', 'ben@example.com', 'cid@example.com'],
        },
        from: 'placet@example.com',
        to: ['ann@example.com', 'ben@example.com'],
        subject: 'A refund waits – €20',
        html: expect.stringContaining('<p>Decide.</p>'),
      },
    ]);
    const [mail] = smtp.mails;
    expect(mail?.text.trim()).toBe('Decide.');
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.headers.get('message-id')).toBe('<case-1@placet>');
    expect(mail?.raw).toContain('Auto-Submitted: auto-generated\r\n');
  });

  it('goes to a URL that the client understands', async () => {
    const smtp = await startFakeSmtp();
    const transport = createTransport(smtp.url);
    releaseAfterTest('transport', () => transport.close());
    await transport.sendMail({ ...letter, to: 'ann@example.com' });
    expect(smtp.mails).toHaveLength(1);
  });
});

describe('a recipient', () => {
  it.each([
    ['is unknown', { unknown: ['ann@example.com'] }, 550, '5.1.1'],
    ['has no room now', { full: { 'ann@example.com': 452 as const } }, 452, '4.2.2'],
    ['has no room', { full: { 'ann@example.com': 552 as const } }, 552, '5.2.2'],
    ['is greylisted', { greylisted: ['ann@example.com'] }, 451, '4.7.1'],
  ])('%s', async (_, options, responseCode, enhanced) => {
    const { smtp, send } = await started(options);
    await expect(send('ann@example.com')).rejects.toMatchObject({
      code: 'EENVELOPE',
      responseCode,
      rejected: ['ann@example.com'],
      response: expect.stringContaining(enhanced),
    });
    expect(smtp.mails).toEqual([]);
    expect(await send(['ann@example.com', 'ben@example.com'])).toMatchObject({
      rejected: responseCode === 451 ? [] : ['ann@example.com'],
    });
  });
});

describe('the server', () => {
  it('may want a password', async () => {
    const { smtp, send } = await started({ login: { user: 'placet', password: 'right' } });
    await expect(send('ann@example.com')).rejects.toMatchObject({ responseCode: 530 });
    const wrong = sender(smtp, { user: 'placet', pass: 'wrong' });
    await expect(wrong('ann@example.com')).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 });
    await sender(smtp, { user: 'placet', pass: 'right' })('ann@example.com');
    expect(smtp.mails).toHaveLength(1);
  });

  it('may take its time to greet', async () => {
    const { smtp, send } = await started({ greetingDelayMs: 300 });
    const before = performance.now();
    await send('ann@example.com');
    expect(performance.now() - before).toBeGreaterThan(295);
    const { hostname: host, port } = new URL(smtp.url);
    const hasty = createTransport({ host, port: Number(port), greetingTimeout: 50 });
    await expect(hasty.sendMail({ ...letter, to: 'ann@example.com' })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
  });

  it('may have a limit of bytes, said before or found out', async () => {
    const { smtp, send } = await started({ bytesMax: 2000 });
    await expect(send('ann@example.com', { text: 'x'.repeat(3000) })).rejects.toMatchObject({
      responseCode: 552,
    });
    await send('ann@example.com');
    expect(smtp.mails).toHaveLength(1);
  });

  it('may cut the connection in the middle of a letter', async () => {
    const { smtp, send } = await started();
    smtp.cutInData();
    await expect(send('ann@example.com')).rejects.toThrow();
    expect(smtp.mails).toEqual([]);
    await send('ann@example.com');
    expect(smtp.mails).toHaveLength(1);
  });

  it('may lose its answer, so that the letter arrives twice', async () => {
    const { smtp, send } = await started();
    smtp.loseAnswer();
    await expect(send('ann@example.com')).rejects.toThrow();
    await send('ann@example.com');
    expect(smtp.mails).toHaveLength(2);
  });

  it('closes with connections open and greetings not yet said', async () => {
    const { smtp, send } = await started({ greetingDelayMs: 60_000 });
    const failed = expect(send('ann@example.com')).rejects.toThrow();
    await eventually(() => expect(smtp.connections()).toBe(1));
    await smtp.close();
    await failed;
    expect(smtp.connections()).toBe(0);
  });
});
