// vitest.config.ts runs this before each test file.
import { expect } from "vitest";

/** Bytes are compared at once: one by one, as vitest does it, a megabyte takes seconds. */
function areEqualBytes(left: unknown, right: unknown): boolean | undefined {
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array)) return undefined;
  if (left.constructor !== right.constructor) return undefined;
  return Buffer.compare(left, right) === 0;
}

const ADDED = Symbol.for("imgpack.equal-bytes");
const state: typeof globalThis & { [ADDED]?: true } = globalThis;
// Files share a process, and vitest keeps what each of them adds.
if (state[ADDED] === undefined) expect.addEqualityTesters([areEqualBytes]);
state[ADDED] = true;
