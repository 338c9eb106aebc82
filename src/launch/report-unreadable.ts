import { systemFault } from "../util/system-fault.ts";

/** With too few open files, not even the program's own files can be read. @throws any other error */
export function reportUnreadable(error: unknown): void {
  const fault = systemFault("read", "imgpack", error);
  if (fault === undefined) throw error;
  process.stderr.write(`${fault.message}\n${fault.hint ?? ""}\n`);
  process.exitCode = fault.exitCode;
}
