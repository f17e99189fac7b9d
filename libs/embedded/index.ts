export * from './first-start.ts';
export * from './keys.ts';
export * from './lock.ts';
export * from './nats-server.ts';
export * from './placet.ts';
export * from './private-file.ts';
export * from './settings.ts';
export * from './supervisor.ts';
