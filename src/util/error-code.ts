import { SystemFault } from "./system-fault.ts";

/** The code of a Node.js or system error, such as ENOSPC; "" for an error without one. */
export function errorCode(error: unknown): string {
  if (error instanceof SystemFault) return error.errno;
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
