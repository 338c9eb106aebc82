import { type ImgpackError, RegistryError } from "../../errors.ts";

/** The host has too much to do: other requests would be told the same. */
export function isRateLimit(error: ImgpackError): boolean {
  return error instanceof RegistryError && (error.status === 429 || error.status === 503);
}

export function typedCause(cause: unknown): ImgpackError | undefined {
  for (let error: unknown = cause; error instanceof Error; error = error.cause) {
    if ("exitCode" in error && "hint" in error) return error as ImgpackError;
  }
  return undefined;
}

/** True when no connection came about. */
export function isConnectFault(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (cause instanceof AggregateError && cause.errors.some(isConnectFault)) return true;
  if ("syscall" in cause && (cause.syscall === "connect" || cause.syscall === "getaddrinfo")) return true;
  return isConnectFault(cause.cause);
}
