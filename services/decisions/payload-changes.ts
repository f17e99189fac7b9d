/** The steps of a path into the payload; null where it is none. */
export function stepsOf(path: string): string[] | null {
  const [root, ...steps] = path.split('.');
  const isPath = root === 'payload' && steps.length > 0 && steps.length <= 10;
  return isPath && steps.every((step) => step !== '' && step !== '__proto__') ? steps : null;
}

/** Whether a path is the other one, or leads into what stands there. */
export function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`);
}

export function overlaps(one: string, other: string): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

type Changed = { payload: unknown } | { payload: unknown; from: unknown };

/**
 * The payload with another value at a path, and what stood there. Null where the path leads nowhere: only the last of
 * its names may be new, and nothing is changed inside a list.
 */
export function changed(payload: unknown, path: string, to: unknown): Changed | null {
  const steps = stepsOf(path);
  return steps && put(payload, steps, to);
}

function put(value: unknown, [step, ...rest]: string[], to: unknown): Changed | null {
  if (step === undefined) return { payload: to, from: value };
  if (!isFields(value)) return null;
  if (!Object.hasOwn(value, step)) return rest.length === 0 ? { payload: { ...value, [step]: to } } : null;
  const inner = put(value[step], rest, to);
  return inner && { ...inner, payload: { ...value, [step]: inner.payload } };
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
