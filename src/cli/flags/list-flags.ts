import type { Argv } from "yargs";
import { PartialError, StorageError, UsageError } from "../../errors.ts";
import type { ListedReferences, RequestedImage } from "../../index.ts";
import { quote } from "../../util/format.ts";
import { checkApart } from "../../util/output-checks.ts";
import { storageState } from "../../util/system-fault.ts";
import { refuseTerminal } from "./stdin-input.ts";

/** Flags of the commands that take several inputs. */
export interface ListFlags {
  readonly fromFile?: string[] | undefined;
  readonly failedList?: string | undefined;
  readonly guess?: boolean | undefined;
}

/** @param what the inputs, in plural, for the help. */
export function listFlags<T>(parser: Argv<T>, what: string): Argv<T & ListFlags> {
  return fromFileFlag(parser, what).option("failed-list", {
    type: "string",
    requiresArg: true,
    describe: "write the inputs that failed to this file (default: no file)",
  });
}

/** `-f` alone. @param what the inputs, in plural, for the help. */
export function fromFileFlag<T>(parser: Argv<T>, what: string): Argv<T & Pick<ListFlags, "fromFile">> {
  return parser.option("from-file", {
    alias: "f",
    type: "string",
    array: true,
    requiresArg: true,
    nargs: 1,
    describe: `file that names more ${what}, - for stdin (default none)`,
  });
}

export function guessFlag<T>(parser: Argv<T>): Argv<T & Pick<ListFlags, "guess">> {
  return parser.option("guess", {
    type: "boolean",
    describe: "take references of -f that are only likely, such as those in arguments (default: report them)",
  });
}

/** Whether each list is read from stdin. */
export function stdinLists({ fromFile = [] }: ListFlags): readonly boolean[] {
  return fromFile.map(path => path === "-");
}

/**
 * The images of the command line, and after them those that `-f` names.
 *
 * @param known what pipes have given already.
 * @throws UsageError if no input is given, if a file cannot be read, or with all lines that cannot be taken.
 */
export async function listedImages(
  named: readonly string[] | undefined,
  { fromFile, guess }: ListFlags,
  command: string,
  signal: AbortSignal,
  onNote: (message: string) => void,
  known?: ReadonlyMap<string, Uint8Array>,
): Promise<readonly (string | RequestedImage)[]> {
  const isAlone = (named ?? []).length === 0;
  const listed = fromFile === undefined ? [] : await imagesOf(fromFile, guess === true, isAlone, onNote, signal, known);
  return checkGiven([...(named ?? []), ...listed], fromFile, command);
}

/**
 * The archives of the command line, and after them those that `-f` lists; and the images that it names.
 *
 * @throws UsageError if no input is given, if a file cannot be read, or with all lines that cannot be taken.
 */
export async function listedArchives(
  named: readonly string[] | undefined = [],
  { fromFile = [] }: ListFlags,
  command: string,
  signal: AbortSignal,
): Promise<{ readonly archives: readonly string[]; readonly images: readonly string[] }> {
  refuseTypedLists(fromFile);
  if (fromFile.length === 0) return { archives: checkGiven(named, fromFile, command), images: [] };
  const { readPushLists } = await import("../../verbs/requested/push-lists.ts");
  const { archives, images } = await readPushLists(fromFile, named.length > 0, { signal });
  return { archives: [...named, ...archives], images };
}

function checkGiven<T>(inputs: readonly T[], fromFile: readonly string[] | undefined, command: string): readonly T[] {
  // An empty list is valid: the list of an earlier run, where nothing failed.
  if (inputs.length > 0 || (fromFile ?? []).length > 0) return inputs;
  throw new UsageError(`Cannot run ${command}: no input given, expected at least one`);
}

/**
 * The references of the command line, and after them those that `-f` names, with the places where they were found.
 *
 * @throws UsageError if no input is given, or if a file cannot be read.
 */
export async function listedReferences(
  named: readonly string[] | undefined = [],
  { fromFile = [] }: ListFlags,
  command: string,
  signal: AbortSignal,
): Promise<ListedReferences> {
  checkGiven(named, fromFile, command);
  refuseTypedLists(fromFile);
  const { listReferences } = await import("../../verbs/lock/list-references.ts");
  return await listReferences(fromFile, { references: named, signal });
}

async function imagesOf(
  files: readonly string[],
  isGuessed: boolean,
  isAlone: boolean,
  onNote: (message: string) => void,
  signal: AbortSignal,
  known: ReadonlyMap<string, Uint8Array> | undefined,
): Promise<readonly RequestedImage[]> {
  refuseTypedLists(files);
  const { readLists, requestedImages } = await import("../../verbs/requested/read-lists.ts");
  const { listNotes } = await import("../../verbs/lock/reference-lines.ts");
  const found = await readLists(files, { signal, known });
  const images = requestedImages(found, isGuessed);
  for (const note of listNotes(found, isGuessed)) onNote(note);
  if (isAlone && images.length === 0 && found.references.length > 0) {
    const state = `found only what may be an image (${found.references.length}), expected a reference that is certain`;
    const hint = "Take them with --guess, or write those that you need into a list.";
    throw new UsageError(`Cannot read images from ${files.map(quote).join(", ")}: ${state}`, { hint });
  }
  return images;
}

/**
 * Finds out whether `-f` is a lock, an archive with one, or a need list.
 *
 * @throws UsageError for one of these next to other inputs or with `--failed-list`, or that cannot be read.
 */
export async function lockAmong(
  named: readonly string[] | undefined = [],
  { fromFile = [], failedList }: ListFlags,
  signal: AbortSignal,
): Promise<{
  readonly lock?: Uint8Array;
  readonly need?: Uint8Array;
  readonly known?: ReadonlyMap<string, Uint8Array>;
}> {
  if (fromFile.length === 0) return {};
  refuseTypedLists(fromFile);
  const { findLock } = await import("../../verbs/requested/read-lock.ts");
  const found = await findLock(fromFile, named.length === 0, { signal });
  if ((found.lock ?? found.need) === undefined || failedList === undefined) return found;
  const kind = found.lock === undefined ? "need list" : "lock";
  throw new UsageError(`Cannot use --failed-list with a ${kind}: found both, expected a ${kind} alone`, {
    hint: `A ${kind} is pulled whole or not at all.`,
  });
}

/**
 * The lock that the images of a shard are of, if `-f` names one.
 *
 * @throws UsageError for one that cannot be read.
 */
export async function lockOfImages(
  { fromFile = [], shard }: ListFlags & { readonly shard?: string | undefined },
  signal: AbortSignal,
): Promise<{ readonly lock?: Uint8Array; readonly known?: ReadonlyMap<string, Uint8Array> }> {
  const [file, ...others] = fromFile;
  if (shard === undefined || file === undefined || others.length > 0) return {};
  refuseTypedLists(fromFile);
  const { lockInList } = await import("../../verbs/requested/read-lock.ts");
  return await lockInList(file, { signal });
}

/** Runs the command, then writes the inputs that failed to `--failed-list`; an empty file after success. */
export async function withFailedList<T>(
  { failedList }: ListFlags,
  inputs: readonly (string | RequestedImage)[],
  onNote: (message: string) => void,
  run: () => Promise<T>,
): Promise<T> {
  // Before anything is sent. The inputs of --from-file are known only here.
  const paths = inputs.filter(input => typeof input === "string");
  if (failedList !== undefined) await checkApart(failedList, paths);
  try {
    const result = await run();
    await writeList(failedList, []);
    return result;
  } catch (error) {
    try {
      await writeList(failedList, error instanceof PartialError ? error.failed : await linesFor(inputs));
    } catch (unwritten) {
      // The run's own error decides the exit code.
      if (unwritten instanceof StorageError) onNote(unwritten.message);
    }
    throw error;
  }
}

async function linesFor(inputs: readonly (string | RequestedImage)[]): Promise<readonly string[]> {
  const { formatRequested } = await import("../../verbs/requested/requested-image.ts");
  return inputs.map(input => (typeof input === "string" ? input : formatRequested(input)));
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

function refuseTypedLists(files: readonly string[]): void {
  for (const file of files) refuseTerminal(file, "list", "Pipe it in, or name a file.");
}
