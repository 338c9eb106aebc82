const MINUTE_MS = 60_000;
/** More are reported again: no client fills the memory. */
const MAX_KNOWN = 1000;

/**
 * Passes on what is reported of an address, the same at most once a minute: docker tries TLS at each pull.
 *
 * @param now time in milliseconds.
 */
export function oncePerMinute(
  now: () => number,
  report: (address: string, found: string) => void,
): (address: string, found: string) => void {
  const known = new Map<string, number>();
  return (address, found) => {
    const key = JSON.stringify([address, found]);
    const last = known.get(key);
    if (last !== undefined && now() - last < MINUTE_MS) return;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, now());
    report(address, found);
  };
}
