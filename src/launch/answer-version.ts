import { VERSION } from "../util/version.ts";

/** Prints the version if the command line asks for nothing else. @returns whether it does */
export function answerVersion(words: readonly string[]): boolean {
  if (words.length !== 1 || (words[0] !== "--version" && words[0] !== "-V")) return false;
  // What explains an error is loaded when there is one: scripts ask for the version often.
  process.stdout.on("error", error => void explain(error));
  process.stdout.write(`${VERSION}\n`);
  return true;
}

async function explain(error: Error): Promise<void> {
  const { endWithoutStdout } = await import("./guard-stdout.ts");
  endWithoutStdout(error);
}
