import { secret, setting } from '@placet/runtime';
import * as z from 'zod';

const servicesMax = 100;

export const pagerdutySettings = {
  pagerdutyKeys: secret(
    'PLACET_PAGERDUTY_KEYS',
    z
      .string()
      .default('')
      .refine(
        (text) => entriesOf(text).every(isService),
        'must be services with their keys of 32 letters and digits: name=key, with commas',
      )
      .refine((text) => entriesOf(text).length <= servicesMax, `must be at most ${servicesMax} services`)
      .transform((text) => new Map(entriesOf(text).map(([name = '', key = '']) => [name, key]))),
    'The integration keys of PagerDuty services, as `airline=<key>,hotel=<key>`. What asks `pagerduty:airline` is an incident there.',
  ),
  pagerdutyUrl: setting(
    'PLACET_PAGERDUTY_URL',
    z
      .url({ protocol: /^https?$/, error: 'must be an http or https address' })
      .default('https://events.pagerduty.com'),
    'The Events API of PagerDuty. Another for the region Europe (`https://events.eu.pagerduty.com`), tests and proxies.',
    'https://events.pagerduty.com',
  ),
};

function entriesOf(text: string): string[][] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry) => entry.split('='));
}

/** As a policy can name it, and nothing twice. */
function isService([name = '', key = '', ...more]: string[], n: number, all: string[][]): boolean {
  const isFirst = all.findIndex(([other]) => other === name) === n;
  return isFirst && /^[\w-]{1,64}$/.test(name) && /^[A-Za-z0-9]{32}$/.test(key) && more.length === 0;
}
