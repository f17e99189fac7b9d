/** Numbers that are the same whenever the seed is (mulberry32). */
export function randomOf(seed: number) {
  let state = seed >>> 0;
  function share(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const upTo = (max: number) => Math.floor(share() * (max + 1));
  return {
    /** Whether something happens that happens in so many of a hundred cases. */
    chance: (percent: number) => share() * 100 < percent,
    /** A whole number from 0 to `max`. */
    upTo,
    pick<T>(items: readonly [T, ...T[]]): T {
      return items[upTo(items.length - 1)] ?? items[0];
    },
    some<T>(items: readonly T[], percent: number): T[] {
      return items.filter(() => share() * 100 < percent);
    },
    shuffled<T>(items: readonly T[]): T[] {
      return items
        .map((item) => ({ item, at: share() }))
        .toSorted((one, other) => one.at - other.at)
        .map(({ item }) => item);
    },
  };
}
export type Random = ReturnType<typeof randomOf>;
