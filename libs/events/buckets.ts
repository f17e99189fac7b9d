/** Configuration is kept in KV buckets with 64 revisions a key; audit reads all of them through one stream. */
export const configBuckets = {
  agents: 'placet-agents',
  people: 'placet-people',
  policies: 'placet-policies',
  signers: 'placet-signers',
} as const;
export type ConfigBucket = (typeof configBuckets)[keyof typeof configBuckets];

/** Deliveries are the notifier's own ledger, not configuration, and are not on the record. */
export const deliveriesBucket = 'placet-deliveries';
