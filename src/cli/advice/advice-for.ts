import { BadReferenceError, ImgpackError, PartialError, StorageError, UsageError } from "../../errors.ts";
import { forgottenLists, listAdvice, mayMissListFlag, withListFlags } from "./list-advice.ts";
import { hasTransport } from "./transport-advice.ts";

/** Commands of regctl and others, of which the first word is a command here as well. */
const GROUPS: ReadonlySet<string> = new Set(["tag", "manifest", "blob", "config"]);
const GROUP_VERBS = /^(?:ls|list|get|fetch|inspect|show|head|rm|delete|del)$/;

/**
 * What a command line probably meant, if the error may come from that: a sentence for the hint. A list that was named without
 * `-f` is told in addition to what else is known.
 *
 * @param words of the command line
 */
export async function adviceFor(error: unknown, words: readonly string[]): Promise<string | undefined> {
  const isRefused = error instanceof UsageError || error instanceof BadReferenceError;
  const isLine = isRefused || isForeign(words) || lacksArchive(error, words);
  const lists = mayMissListFlag(error) ? await forgottenLists(error, words) : [];
  if (!isLine && lists.length === 0) return undefined;
  const { advise } = await import("./advise.ts");
  const advice = isLine ? await advise(withListFlags(words, lists)) : undefined;
  if (lists.length === 0) return advice;
  const other = advice ?? (error instanceof ImgpackError ? error.hint : undefined);
  return other === undefined ? listAdvice(lists) : `${listAdvice(lists)} ${other}`;
}

function isForeign(words: readonly string[]): boolean {
  const [first = "", second = ""] = words;
  return (GROUPS.has(first) && GROUP_VERBS.test(second)) || hasTransport(words);
}

const READERS: ReadonlySet<string> = new Set(["push", "inspect", "verify", "doctor"]);

/** `push app.tar registry.lan/app:1`, as crane has it, or a file that is not there. */
function lacksArchive(error: unknown, [command]: readonly string[]): boolean {
  const errors: readonly (ImgpackError | unknown)[] = error instanceof PartialError ? error.failures : [error];
  return READERS.has(command ?? "") && errors.some(each => each instanceof StorageError);
}
