import { embeddedSettings } from '@placet/embedded';
import { SubscriberName } from '@placet/events';
import { processSettings, sealSettings, secret, setting, wholeNumber, yesOrNo } from '@placet/runtime';
import * as z from 'zod';

/** What `npm run deploy:streams` reads; the user on the broker is `deploy`. */
export const deploySettings = {
  ...processSettings,
  replicas: setting(
    'PLACET_REPLICAS',
    wholeNumber(1, 1, 5),
    'On how many nodes of the broker everything is kept: 3 in production.',
    '1',
  ),
  streamBytesMax: embeddedSettings.streamBytesMax,
  streamAgeMaxMs: embeddedSettings.streamAgeMaxMs,
  mayKeepLess: setting(
    'PLACET_KEEP_LESS',
    yesOrNo(false),
    'Lets the streams keep less than they do: for a shorter time, in fewer copies, in less room.',
    'false',
  ),
  subscribers: setting(
    'PLACET_SUBSCRIBERS',
    z
      .string()
      .default('')
      .transform((text) => text.split(',').filter(Boolean))
      .refine((names) => names.every((name) => SubscriberName.safeParse(name).success), {
        message: 'must be names of lower-case letters, digits and hyphens, with commas',
      }),
    'Other systems that follow decisions, each by a durable consumer of its own (docs/subscribe.md).',
    '',
  ),
};

/** What `npm run deploy:admin` reads; it acts as the gateway. */
export const adminSettings = {
  ...processSettings,
  ...sealSettings,
  adminEmail: embeddedSettings.adminEmail,
};

/** What the one-shot service `deploy-mongodb` of docker-compose.yml reads. */
export const mongodbSettings = {
  adminUrl: setting(
    'PLACET_MONGODB_ADMIN_URL',
    z.string().default('mongodb://127.0.0.1:27017/?directConnection=true'),
    'The one member, on the same host: only from there can the first user be made.',
    'mongodb://127.0.0.1:27017/?directConnection=true',
  ),
  member: setting(
    'PLACET_MONGODB_MEMBER',
    z.string().default('mongodb:27017'),
    'How the others reach that member.',
    'mongodb:27017',
  ),
  adminPassword: secret(
    'PLACET_MONGODB_ADMIN_PASSWORD',
    z.string({ error: 'is missing: the users are made by the user admin' }),
    'The password of the user admin, who may do everything.',
  ),
  decisionsPassword: secret(
    'PLACET_MONGODB_DECISIONS_PASSWORD',
    z.string({ error: 'is missing: it becomes the password of the user decisions' }),
    'The password of the user decisions, who reads and writes the outcomes alone.',
  ),
  auditPassword: secret(
    'PLACET_MONGODB_AUDIT_PASSWORD',
    z.string({ error: 'is missing: it becomes the password of the user audit' }),
    'The password of the user audit, who reads and writes the record alone.',
  ),
};
