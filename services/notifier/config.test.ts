import { readSettings } from '@placet/runtime';
import { expect, test } from 'vitest';
import { notifierDisagreements, notifierSettings } from './config.ts';

const smtp = { PLACET_SMTP_URL: 'smtp://mail.example.com' };
const from = { PLACET_MAIL_FROM: 'placet@example.com' };
const page = { PLACET_PUBLIC_URL: 'https://placet.example.com/' };

const problems = (env: Record<string, string>) => notifierDisagreements(readSettings(notifierSettings, env));

test.each([
  ['nothing', {}, []],
  ['email', { ...smtp, ...from, ...page }, []],
  ['a server alone', { ...smtp, ...page }, ['PLACET_SMTP_URL and PLACET_MAIL_FROM go together']],
  ['a sender alone', { ...from, ...page }, ['PLACET_SMTP_URL and PLACET_MAIL_FROM go together']],
  ['email without a page', { ...smtp, ...from }, ['PLACET_SMTP_URL needs PLACET_PUBLIC_URL']],
  ['a webhook without a secret', { PLACET_WEBHOOK_URL: 'https://example.com' }, ['PLACET_WEBHOOK_URL and']],
])('%s', (_, env, words) => {
  expect(problems(env)).toEqual(words.map((word) => expect.stringContaining(word)));
});

test.each(['placet.example.com', 'https://placet.example.com/a', 'ftp://placet.example.com'])(
  'people do not reach the gateway at %s',
  (url) => {
    expect(() => problems({ PLACET_PUBLIC_URL: url })).toThrow('PLACET_PUBLIC_URL');
  },
);
