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

/** The public keys of the files that a flag names; undefined if it is not given. @throws UsageError */
export async function readFlagKeys(
  flag: string,
  paths: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (paths === undefined) return undefined;
  const keys: string[] = [];
  for (const path of paths) keys.push(await readFlagFile(flag, path, "a public key in PEM", signal));
  return keys;
}
