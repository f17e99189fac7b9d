/**
 * Waits for a condition, never for a time: the last failure is thrown when it does not come true. What costs those it asks
 * much is asked less often.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  withinMs = 15_000,
  everyMs = 20,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await condition();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
