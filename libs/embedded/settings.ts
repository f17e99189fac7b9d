import { resolve } from 'node:path';
import { decisionsSettings } from '@placet/decisions-service/config.ts';
import { gatewaySettings } from '@placet/gateway-service/config.ts';
import { notifierDisagreements, notifierSettings } from '@placet/notifier-service/config.ts';
import { policySettings } from '@placet/policy-service/config.ts';
import {
  byteSize,
  durationMs,
  oneOf,
  readSettings,
  type SettingsOf,
  SettingsProblem,
  setting,
  storeSettings,
  yesOrNo,
} from '@placet/runtime';
import * as z from 'zod';

/** What the one-process form needs beside the services' own settings. */
export const embeddedSettings = {
  dataDir: setting(
    'PLACET_DATA',
    z
      .string()
      .default('.placet')
      .transform((path) => resolve(path)),
    'Where everything is kept: events, stores, keys. Only its owner can read it.',
    '.placet',
  ),
  logLevel: setting(
    'PLACET_LOG_LEVEL',
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'warn'),
    'How much is logged, on stderr.',
    'warn',
  ),
  adminEmail: setting(
    'PLACET_ADMIN_EMAIL',
    z.email().default('admin@example.com'),
    'The first person, who is made at the first start.',
    'admin@example.com',
  ),
  syncAlways: setting(
    'PLACET_SYNC_ALWAYS',
    yesOrNo(true),
    'Whether every event is on the disk before it is acknowledged. `false` is faster, and a power cut may lose the last two minutes.',
    'true',
  ),
  streamBytesMax: setting(
    'PLACET_STREAM_SIZE',
    byteSize('4GB'),
    'The most that the stream of events may hold. At 90 % new requests are refused.',
    '4GB',
  ),
  streamAgeMaxMs: setting(
    'PLACET_STREAM_AGE',
    durationMs('7d', '1d', '90d'),
    'How long the stream keeps events; also how long an idempotency key is remembered.',
    '7d',
  ),
};

export const allSettings = {
  ...embeddedSettings,
  ...gatewaySettings,
  ...policySettings,
  ...decisionsSettings,
  ...notifierSettings,
  ...storeSettings,
};
export type PlacetSettings = SettingsOf<typeof allSettings>;

export function readPlacetSettings(env: Record<string, string | undefined>): PlacetSettings {
  const settings = readSettings(allSettings, env);
  const problems = disagreements(settings);
  if (problems.length > 0) throw new SettingsProblem(problems);
  return { ...settings, publicUrl: settings.publicUrl ?? ownUrl(settings) };
}

/** Whoever runs all of it on one machine reaches it there. */
function ownUrl({ port }: { port: number }): string | undefined {
  return port === 0 ? undefined : `http://127.0.0.1:${port}`;
}

/** What is right by itself and cannot be together. */
function disagreements(settings: PlacetSettings): string[] {
  const problems = notifierDisagreements(settings);
  const { approvalTimeoutMs, sweepAfterMs, automaticValidForMs, peopleValidForMs } = settings;
  const longestMs = approvalTimeoutMs + sweepAfterMs + Math.max(automaticValidForMs, peopleValidForMs);
  if (longestMs >= settings.streamAgeMaxMs) {
    problems.push(
      'PLACET_STREAM_AGE has to be longer than PLACET_APPROVAL_TIMEOUT, PLACET_SWEEP_AFTER and the longer PLACET_VALID_FOR_… together, or an open approval or a valid permission would be forgotten',
    );
  }
  return problems;
}
