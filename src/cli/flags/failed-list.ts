import { readFile } from "node:fs/promises";
import type { Argv } from "yargs";
import { PartialError, UsageError } from "../../errors.ts";

/** Flags of commands that take several things at once. */
export interface ListFlags {
  readonly fromFile?: string | undefined;
  readonly failedList?: string | undefined;
}

export function listFlags<T>(parser: Argv<T>, what: string): Argv<T & ListFlags> {
  return parser
    .option("from-file", { type: "string", requiresArg: true, describe: `file of ${what}, one per line` })
    .option("failed-list", { type: "string", requiresArg: true, describe: "file to write what failed to" });
}

/**
 * What was named on the command line, and then what stands in the file of `--from-file`: one per line, without blank lines
 * and those that begin with "#".
 *
 * @throws a usage fault when there is nothing, or no such file.
 */
export async function listedInputs(
  named: readonly string[] | undefined,
  { fromFile }: ListFlags,
  command: string,
): Promise<readonly string[]> {
  const listed = fromFile === undefined ? [] : await linesOf(fromFile);
  const inputs = [...(named ?? []), ...listed];
  if (inputs.length > 0) return inputs;
  // A list that has run empty is done, not wrong.
  if (fromFile !== undefined) return [];
  throw new UsageError(`Cannot run ${command}: nothing named to work on, expected at least 1 argument`);
}

/** Runs the command; afterwards `--failed-list` names what is still to be done, and nothing after success. */
export async function withFailedList<T>(
  { failedList }: ListFlags,
  inputs: readonly string[],
  run: () => Promise<T>,
): Promise<T> {
  try {
    const result = await run();
    await writeList(failedList, []);
    return result;
  } catch (error) {
    await writeList(failedList, error instanceof PartialError ? error.failed : inputs);
    throw error;
  }
}

async function writeList(path: string | undefined, names: readonly string[]): Promise<void> {
  if (path === undefined) return;
  try {
    const { replaceFile } = await import("../../util/replace-file.ts");
    await replaceFile(path, names.map(name => `${name}\n`).join(""));
  } catch (cause) {
    throw new UsageError(`Cannot write --failed-list ${JSON.stringify(path)}: no writable file, expected one`, {
      cause,
    });
  }
}

async function linesOf(path: string): Promise<readonly string[]> {
  try {
    const lines = (await readFile(path, "utf8")).split(/\r?\n/).map(line => line.trim());
    return lines.filter(line => line !== "" && !line.startsWith("#"));
  } catch (cause) {
    throw new UsageError(`Cannot read --from-file ${JSON.stringify(path)}: no readable file, expected one`, { cause });
  }
}
