export * from './brokers.ts';
export * from './cluster.ts';
export * from './mongodb.ts';
export * from './service-process.ts';
