import type { Argv } from "yargs";
import { PartialError, StorageError, UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { readInputText, readText } from "../../util/input-file.ts";
import { checkApart } from "../../util/output-checks.ts";
import { storageState } from "../../util/system-fault.ts";
import { refuseTerminal } from "./stdin-input.ts";

/** Flags of the commands that take several inputs. */
export interface ListFlags {
  readonly fromFile?: string | undefined;
  readonly failedList?: string | undefined;
}

/** @param what the inputs, in plural, for the help. */
export function listFlags<T>(parser: Argv<T>, what: string): Argv<T & ListFlags> {
  return parser
    .option("from-file", {
      type: "string",
      requiresArg: true,
      describe: `file that lists more ${what}, one per line, - for stdin (default none)`,
    })
    .option("failed-list", {
      type: "string",
      requiresArg: true,
      describe: "write the inputs that failed to this file (default: no file)",
    });
}

/**
 * The inputs of the command line, and after them those of `--from-file`: one per line, without empty lines and lines
 * that start with "#".
 *
 * @throws UsageError if no input is given or the file cannot be read.
 */
export async function listedInputs(
  named: readonly string[] | undefined,
  { fromFile }: ListFlags,
  command: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const listed = fromFile === undefined ? [] : await linesOf(fromFile, signal);
  const inputs = [...(named ?? []), ...listed];
  if (inputs.length > 0) return inputs;
  // An empty list is valid: the list of an earlier run, where nothing failed.
  if (fromFile !== undefined) return [];
  throw new UsageError(`Cannot run ${command}: no input given, expected at least one`);
}

/** Runs the command, then writes the inputs that failed to `--failed-list`; an empty file after success. */
export async function withFailedList<T>(
  { failedList }: ListFlags,
  inputs: readonly string[],
  onNote: (message: string) => void,
  run: () => Promise<T>,
): Promise<T> {
  // Before anything is sent. The inputs of --from-file are known only here.
  if (failedList !== undefined) await checkApart(failedList, inputs);
  try {
    const result = await run();
    await writeList(failedList, []);
    return result;
  } catch (error) {
    try {
      await writeList(failedList, error instanceof PartialError ? error.failed : inputs);
    } catch (unwritten) {
      // The run's own error decides the exit code.
      if (unwritten instanceof StorageError) onNote(unwritten.message);
    }
    throw error;
  }
}

async function writeList(path: string | undefined, names: readonly string[]): Promise<void> {
  if (path === undefined) return;
  try {
    const { replaceFile } = await import("../../util/replace-file.ts");
    await replaceFile(path, names.map(name => `${name}\n`).join(""));
  } catch (cause) {
    const found = storageState(cause, "no such folder");
    throw new StorageError(`Cannot write --failed-list ${quote(path)}: ${found}, expected a writable file`, { cause });
  }
}

async function linesOf(path: string, signal: AbortSignal): Promise<readonly string[]> {
  refuseTerminal(path, "list", "Pipe it in, or name a file.");
  try {
    const text = path === "-" ? await readText(process.stdin, signal) : await readInputText(path, signal);
    const lines = text.split(/\r?\n/).map(line => line.trim());
    return lines.filter(line => line !== "" && !line.startsWith("#"));
  } catch (cause) {
    signal.throwIfAborted();
    throw new UsageError(`Cannot read --from-file ${quote(path)}: no readable file, expected one`, { cause });
  }
}
