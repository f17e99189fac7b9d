/** A failure the reader can do something about: printed as its message, without a stack. */
export class SetupError extends Error {
  name = 'SetupError';
}
