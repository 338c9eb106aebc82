import {
  ArchiveError,
  AuthError,
  BadReferenceError,
  NetworkError,
  NotFoundError,
  PartialError,
  RegistryError,
  UsageError,
} from "../../errors.ts";
import { stat } from "../../util/read-disk.ts";
import { hasArchiveEnding, shellWord } from "./command-template.ts";
import { namesRegistry } from "./transport-advice.ts";
import { readTypedLine } from "./typed-line.ts";

const LIST_FLAG = "from-file";
/** What a list meets that was taken for an image, or for an archive. A full disk is none of these. */
const FAULTS = [AuthError, BadReferenceError, NetworkError, NotFoundError, RegistryError, UsageError];

/** Whether a run fails as one does that takes a list for an image. */
export function mayMissListFlag(error: unknown): boolean {
  const errors: readonly unknown[] = error instanceof PartialError ? error.failures : [error];
  return errors.some(each => FAULTS.some(fault => each instanceof fault) || isNoArchive(each));
}

function isNoArchive(error: unknown): boolean {
  return error instanceof ArchiveError && error.reason === "not-a-tar";
}

/**
 * The lists that a command line names without `-f`: arguments of a command that takes `-f` which name no registry, and of
 * which there are files. Of several inputs, only those that failed.
 */
export async function forgottenLists(error: unknown, [name, ...words]: readonly string[]): Promise<readonly string[]> {
  const failed = error instanceof PartialError ? error.failed : [];
  const isFailed = (word: string): boolean =>
    failed.length === 0 || failed.some(each => each === word || each.startsWith(`${word} `));
  const files: string[] = [];
  for (const word of words) if (mayBeList(word) && isFailed(word) && (await isFile(word))) files.push(word);
  if (files.length === 0) return [];
  const { commandDefinitions } = await import("../definitions/command-definitions.ts");
  const command = (await commandDefinitions()).find(each => each.name === name);
  if (!command?.flags.some(flag => flag.name === LIST_FLAG)) return [];
  return readTypedLine(words, command.flags).others.filter(word => files.includes(word));
}

/** An archive has commands of its own. */
function mayBeList(word: string): boolean {
  return !word.startsWith("-") && !hasArchiveEnding(word) && !namesRegistry(word) && shellWord(word) !== undefined;
}

/** How the lists are read. */
export function listAdvice(lists: readonly string[]): string {
  const flags = lists.map(list => `-f ${shellWord(list)}`).join(" ");
  return lists.length === 1
    ? `A file of that name is here: to read it as a list, use ${flags}.`
    : `Files of these names are here: to read them as lists, use ${flags}.`;
}

/** The words with `-f` before each list. */
export function withListFlags(words: readonly string[], lists: readonly string[]): readonly string[] {
  return words.flatMap(word => (lists.includes(word) ? ["-f", word] : [word]));
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
