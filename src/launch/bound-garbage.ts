import { setFlagsFromString } from "node:v8";

/** Shorter runs have little garbage. Code of Node that is loaded with other flags is compiled again, so most of it comes before. */
const START_MS = 500;
/**
 * By how much the heap may grow before it is collected again, as a share of what was in use. V8 takes up to 300, and thousands of
 * small blobs then leave more garbage than all that is in use: 120 MiB of a pull of 20,000. Less than half of that costs a third more
 * CPU time where the machine is busy.
 */
const GROWTH_PERCENT = 150;
/** The newest V8 that is known to have the flag. An engine without it would say so on stderr. */
const NEWEST_V8 = 14;

/** Sets V8's flags, as `setFlagsFromString` does. */
export type SetFlags = (flags: string) => void;

/**
 * Has the garbage of a long run collected before it is larger than one and a half times what is in use, for a few more percent of CPU time.
 * Disposing it restores the flags: code that is compiled with other ones would not be taken from the cache of the next run.
 */
export function boundGarbage(
  setFlags: SetFlags = setFlagsFromString,
  engine: string = process.versions.v8,
): Disposable {
  const isKnown = Number.parseInt(engine, 10) <= NEWEST_V8 && process.versions["bun"] === undefined;
  let isSet = false;
  const timer = setTimeout(() => {
    if (!isKnown) return;
    setFlags(`--heap-growing-percent=${GROWTH_PERCENT}`);
    isSet = true;
  }, START_MS).unref();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      if (isSet) setFlags("--heap-growing-percent=0");
    },
  };
}
