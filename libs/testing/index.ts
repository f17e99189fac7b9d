export * from './cleanup.ts';
export * from './client.ts';
export * from './cluster.ts';
export * from './counts.ts';
export * from './eventually.ts';
export * from './nats.ts';
export * from './placet.ts';
export * from './vendors/index.ts';
