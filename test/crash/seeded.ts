/** Choices that are the same for the same seed. */
export interface Seeded {
  /** 0 to `below` - 1. */
  whole(below: number): number;
  chance(probability: number): boolean;
  /** @throws when there is nothing to choose from. */
  pick<T>(from: readonly T[]): T;
}

/** Mulberry32: small, and good enough to choose with. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (below: number): number => Math.floor(next() * below);
  return {
    whole,
    chance: probability => next() < probability,
    pick: from => {
      const index = whole(from.length);
      if (index >= from.length) throw new RangeError("nothing to choose from");
      return from[index] as (typeof from)[number];
    },
  };
}

/** A number from the environment, for larger runs by hand. */
export function setting(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} is no whole number`);
  return value;
}
