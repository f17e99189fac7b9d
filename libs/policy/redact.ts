import { isScalar } from 'yaml';
import type { Field } from './fields.ts';
import { redactMax } from './limits.ts';
import { readItems } from './readers.ts';
import type { Source } from './yaml.ts';

export const redacted = '[redacted]';

/** A path into the payload, of ten steps at most. */
export const redactForm = /^payload(\.[0-9]{0,20}[A-Za-z_-][A-Za-z0-9_-]{0,79}){1,10}$/;

/** Parts of the payload that nobody is shown. */
export const readRedact = (source: Source, field: Field | undefined): string[] => {
  const items = readItems(source, field, 'redact', redactMax);
  if (field && items.length === 0) {
    source.problem(field.value, field.path, 'redact: expected a list of paths, as [payload.card_number]');
  }
  return items.flatMap((item, position): string[] => {
    const path = `${field?.path}[${position}]`;
    const node = source.resolve(item, path);
    if (!node) return [];
    const written = isScalar(node) && typeof node.value === 'string' ? node.value : '';
    if (redactForm.test(written)) return [written];
    source.problem(
      node,
      path,
      `redact: expected a path into the payload, as payload.card_number, found ${source.describe(node)}`,
    );
    return [];
  });
};

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
