const ERRORS = new WeakSet<object>();

/** Marks an error as one that a callback of the caller threw, and returns it. */
export function callerError(error: unknown): unknown {
  if (typeof error === "object" && error !== null) ERRORS.add(error);
  return error;
}

/** Throws the error of a callback that led to `cause`, if there is one: it is no failure of a connection. */
export function throwCallerError(cause: unknown): void {
  for (let error = cause; error instanceof Error; error = error.cause) if (ERRORS.has(error)) throw error;
}
