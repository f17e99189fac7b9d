export * from './arguments.ts';
export * from './visible.ts';
