export * from './arguments.ts';
export * from './markup.ts';
export * from './unlinked.ts';
export * from './visible.ts';
