import type { Service } from './names.ts';

/** Configuration is kept in KV buckets with 64 revisions a key; audit reads all of them through one stream. */
export const configBuckets = {
  agents: 'placet-agents',
  people: 'placet-people',
  policies: 'placet-policies',
  channels: 'placet-channels',
  signers: 'placet-signers',
  webhooks: 'placet-webhooks',
} as const;
export type ConfigBucket = (typeof configBuckets)[keyof typeof configBuckets];

/** Deliveries are the notifier's own ledger, not configuration, and are not on the record. */
export const deliveriesBucket = 'placet-deliveries';
/** Where approvals stand. Apart from what webhooks are owed: however much that is, people are still told. */
export const cardsBucket = 'placet-cards';
/** Who is signed in, and the links and codes by which people do; neither configuration nor on the record. */
export const sessionsBucket = 'placet-sessions';
/** The links by which people decide from a mail. Apart: however many agents have people asked, all can sign in. */
export const mailLinksBucket = 'placet-mail-links';
/** Which clicks in Slack were taken, for as long as somebody could send them again. */
export const clicksBucket = 'placet-clicks';
/** A bucket is a stream of this name, and its values are under these subjects. */
export const bucketStreamName = (bucket: string) => `KV_${bucket}`;
export const bucketSubject = (bucket: string, key: string) => `$KV.${bucket}.${key}`;
export const bucketKey = (bucket: string, subject: string) => subject.slice(bucketSubject(bucket, '').length);

export type Bucket =
  | ConfigBucket
  | typeof deliveriesBucket
  | typeof cardsBucket
  | typeof sessionsBucket
  | typeof mailLinksBucket
  | typeof clicksBucket;

/** Who changes a bucket, and who follows it. A ledger is read by who writes it. */
export const bucketUsers: Record<Bucket, { writers: readonly Service[]; followers: readonly Service[] }> = {
  [configBuckets.agents]: { writers: ['gateway'], followers: ['gateway'] },
  [configBuckets.people]: { writers: ['gateway'], followers: ['gateway'] },
  [configBuckets.policies]: { writers: ['gateway'], followers: ['gateway', 'policy'] },
  [configBuckets.channels]: { writers: ['gateway'], followers: ['gateway', 'policy'] },
  [configBuckets.signers]: {
    writers: ['policy', 'decisions'],
    followers: ['gateway', 'policy', 'decisions'],
  },
  [configBuckets.webhooks]: { writers: ['gateway'], followers: ['gateway'] },
  [deliveriesBucket]: { writers: ['notifier'], followers: [] },
  [cardsBucket]: { writers: ['notifier'], followers: [] },
  [sessionsBucket]: { writers: ['gateway'], followers: [] },
  [mailLinksBucket]: { writers: ['gateway'], followers: [] },
  [clicksBucket]: { writers: ['gateway'], followers: [] },
};
