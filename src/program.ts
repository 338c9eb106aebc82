import { boundGarbage } from "./launch/bound-garbage.ts";
import { guardStdout } from "./launch/guard-stdout.ts";
import { reportUnreadable } from "./launch/report-unreadable.ts";

export { keepCodeCache } from "./launch/keep-code-cache.ts";

/** Runs the command line of this process, and sets its exit code. */
export async function run(words: readonly string[]): Promise<void> {
  guardStdout();
  using _ = boundGarbage();
  try {
    const { endSoonAfter, main } = await import("./cli/main.ts");
    process.exitCode = await main(words);
    endSoonAfter(process.exitCode, words[0]);
  } catch (error) {
    reportUnreadable(error);
  }
}
