import type { OutputStreams } from "../../context.ts";
import { answerText } from "./answer.ts";
import { completeLine } from "./complete-line.ts";

/**
 * Answers the script of a shell: `imgpack __complete AT WORD…`, where AT counts from 0. It never fails and prints no error:
 * nothing is offered then.
 *
 * @param words what follows `__complete`.
 */
export async function answerCompletion(
  [at = "", ...words]: readonly string[],
  { stdout }: OutputStreams,
): Promise<void> {
  if (!/^[0-9]{1,4}$/.test(at)) return;
  try {
    stdout.write(answerText(await completeLine({ words, at: Number(at) })));
  } catch {
    // The shell would print it over the line that is being typed.
  }
}
