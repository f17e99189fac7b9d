export const redacted = '[redacted]';

/**
 * The payload as people see it. A path goes through the elements of a list; what is not there is not made. What stands
 * where a path goes on, and has no fields, is hidden itself: an agent chooses the form of what it sends.
 */
export const redact = (payload: unknown, paths: readonly string[]): unknown =>
  paths.reduce((shown, path) => hide(shown, path.split('.').slice(1)), payload);

const hide = (value: unknown, [step, ...rest]: string[]): unknown => {
  if (step === undefined) return redacted;
  if (Array.isArray(value)) return value.map((one) => hide(one, [step, ...rest]));
  if (typeof value !== 'object' || value === null) return redacted;
  const steps = [step, ...rest];
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      // An agent may write several steps as one name.
      const taken = steps.findIndex((_, n) => steps.slice(0, n + 1).join('.') === name);
      return [name, taken === -1 ? one : hide(one, steps.slice(taken + 1))];
    }),
  );
};
