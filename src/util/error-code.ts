/** The code of a system, TLS or HTTP fault, such as ENOSPC; "" when it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
