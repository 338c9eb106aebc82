/**
 * Lets a deadline count only after one turn of the event loop. A process that stood still (SIGSTOP, a laptop with a closed
 * lid) finds all its deadlines over when it runs again; what has come in the meantime, bytes or the end of a connection, is
 * read in that turn.
 *
 * @param moved anything that changes when something comes.
 * @param onLate is called if it has not changed.
 */
export function lastChance(moved: () => unknown, onLate: () => void): void {
  const before = moved();
  setImmediate(() => {
    if (moved() === before) onLate();
  });
}

export function lateFault(message: string): Error {
  return Object.assign(new Error(message), { code: "ETIMEDOUT" });
}
