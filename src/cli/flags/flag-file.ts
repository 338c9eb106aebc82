import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { readInputText } from "../../util/input-file.ts";

/** The text of a file that a flag names. @throws UsageError */
export async function readFlagFile(flag: string, path: string, expected: string, signal: AbortSignal): Promise<string> {
  try {
    return await readInputText(path, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new UsageError(`Cannot read ${flag} ${quote(path)}: no readable file, expected ${expected}`, { cause });
  }
}
