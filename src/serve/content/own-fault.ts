import { errorCode } from "../../util/error-code.ts";

/** These errors are of this process, and not of the file. */
const OWN_FAULTS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM"]);

/** Whether an error of the system says that the process, and not the file, lacks something. */
export function isOwnFault(error: unknown): boolean {
  return OWN_FAULTS.has(errorCode(error)) || (error instanceof Error && OWN_FAULTS.has(errorCode(error.cause)));
}
