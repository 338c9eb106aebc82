// Opening a FIFO without a writer, or a file on a server that is gone, blocks a thread that nothing can interrupt.
import { type ChildProcess, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { executable } from "../support/command.ts";
import { ownEnvironment } from "../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../support/images.ts";
import { startCommand } from "../support/started-command.ts";
import { poll } from "./peers/poll.ts";

ownEnvironment();

async function fifo(): Promise<string> {
  const path = join(await temporaryFolder(), "fifo");
  execFileSync("mkfifo", [path]);
  return path;
}

/** Before that, signals end it in any case. */
async function listensToSignals({ pid }: ChildProcess): Promise<void> {
  const isCaught = (): true | undefined => {
    const [, mask = "0"] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return (BigInt(`0x${mask}`) & 2n) === 0n ? undefined : true;
  };
  await poll(isCaught, { timeoutMs: 30_000, describe: () => "it does not listen to SIGINT" });
}

const kinds: readonly (readonly [string, (path: string) => readonly string[]])[] = [
  ["an archive", path => ["inspect", path]],
  ["--ca-file", path => ["ping", "127.0.0.1:9", "--ca-file", path]],
  ["--from-file", path => ["push", "--from-file", path, "--registry", "127.0.0.1:9"]],
];
test.each(kinds)("imgpack ends within 2 s after SIGINT when %s is a FIFO without a writer", async (_what, words) => {
  const { child, outcome } = startCommand(words(await fifo()));
  await listensToSignals(child);
  const start = performance.now();
  child.kill("SIGINT");
  const { exitCode, signal } = await outcome;
  expect(signal ?? exitCode).toSatisfy((end: unknown) => end === 130 || end === "SIGINT");
  expect(performance.now() - start).toBeLessThan(4000);
});

// Words for Node make them hang.
test.skipIf(executable !== undefined)(
  "imgpack ends by the second signal, though all its threads hang in the system",
  async () => {
    const path = await fifo();
    const hang = `import { open } from "node:fs"; for (let n = 0; n < 4; n += 1) open(${JSON.stringify(path)}, "r", () => {});`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hang)}` };
    const archive = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const { child, outcome } = startCommand(["inspect", archive], { env });
    await listensToSignals(child);
    const again = setInterval(() => child.kill("SIGTERM"), 50);
    onTestFinished(() => clearInterval(again));
    expect(await outcome).toMatchObject({ signal: "SIGTERM" });
  },
);
