export * from './arguments.ts';
export * from './unlinked.ts';
export * from './visible.ts';
