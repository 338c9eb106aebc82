import { basename, dirname, join } from "node:path";
import { errorCode } from "../../util/error-code.ts";
import { nearestWords } from "../../util/nearest/nearest-words.ts";
import { readdir, stat } from "../../util/read-disk.ts";
import { isFileName, shellWord } from "./command-template.ts";

/** Commands whose arguments are archives to read. */
const READERS: ReadonlySet<string> = new Set(["push", "inspect", "verify", "doctor"]);
/** Entries of a folder that are compared. */
const MAX_ENTRIES = 2000;

/** What was meant by the first argument that is no file: the file next to it, or an image of Docker. */
export async function fileAdvice(command: string, others: readonly string[]): Promise<string | undefined> {
  if (!READERS.has(command)) return undefined;
  for (const word of others) {
    if (word === "-" || word.includes("://") || !(await isMissing(word))) continue;
    const near = shellWord((await nearestFile(word)) ?? "");
    if (near) return `Did you mean "${near}"?`;
    const image = command === "push" && isImage(word) ? shellWord(`docker://${word}`) : undefined;
    return image && `To push an image of Docker: imgpack push ${image}`;
  }
  return undefined;
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    return errorCode(error) === "ENOENT";
  }
}

async function nearestFile(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  try {
    const names = (await readdir(folder)).slice(0, MAX_ENTRIES);
    const [near] = nearestWords(basename(path), names);
    return near && (folder === "." ? near : join(folder, near));
  } catch {
    return undefined;
  }
}

/** With a tag, or below a registry: `app:1.4`, `registry.lan/app`. */
function isImage(word: string): boolean {
  return !isFileName(word) && /^[a-z0-9][\w.-]*(?::\d+)?(?:\/[\w./-]+|:[\w.-]+)/.test(word);
}
