/** Methods that look at each element of an array, or may. */
const METHODS =
  "some every find findIndex filter includes indexOf map flatMap forEach reduce concat slice toSorted".split(" ");

type Method = (this: { readonly length: number }, ...words: unknown[]) => unknown;

interface Patched {
  readonly owner: object;
  readonly name: string;
  /** @returns how many elements a call looks at. */
  readonly visits: (self: { readonly length: number }) => number;
}

const PATCHED: readonly Patched[] = [
  { owner: Set.prototype, name: "add", visits: () => 1 },
  { owner: Map.prototype, name: "set", visits: () => 1 },
  // Of `for (… of list)` and `[...list]`.
  { owner: Object.getPrototypeOf([].values()) as object, name: "next", visits: () => 1 },
  ...METHODS.map(name => ({
    owner: Array.prototype,
    name,
    visits: (self: { readonly length: number }) => self.length,
  })),
];

/**
 * How many elements of arrays are looked at, and how many go into sets and maps, while `task` runs: work that grows with the
 * numbers, on any machine. What Node itself does counts for nothing.
 */
export async function countVisits(task: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const undo: (() => void)[] = [];
  for (const { owner, name, visits } of PATCHED) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name) ?? {};
    const original = descriptor.value as Method;
    const counted: Method = function (...words) {
      count += visits(this);
      return original.apply(this, words);
    };
    Object.defineProperty(owner, name, { ...descriptor, value: counted });
    undo.push(() => Object.defineProperty(owner, name, descriptor));
  }
  try {
    await task();
  } finally {
    for (const restore of undo.reverse()) restore();
  }
  return count;
}
