import { errorCode } from "../../util/error-code.ts";
import { stat } from "../../util/read-disk.ts";
import { isFileName, shellWord } from "./command-template.ts";

/** What was meant by an argument of `push` that is no file, but looks like docker's: an image of Docker. */
export async function imageAdvice(command: string, others: readonly string[]): Promise<string | undefined> {
  if (command !== "push") return undefined;
  for (const word of others) {
    if (!isTagged(word) || !(await isMissing(word))) continue;
    const image = shellWord(`docker://${word}`);
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

/** `app:1.4`, `registry.lan:5000/team/app:1.4`. Without a tag it may as well be a path. */
function isTagged(word: string): boolean {
  return !isFileName(word) && !word.includes("://") && /^[a-z0-9][\w./:-]*:[\w][\w.-]*$/.test(word);
}
