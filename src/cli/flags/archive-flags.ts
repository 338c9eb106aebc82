import type { Writable } from "node:stream";
import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { ConvertResult, PullResult } from "../../index.ts";
import { type Context, printLine } from "../context.ts";

/** Flags of the commands that write archives. */
export interface ArchiveFlags {
  readonly platform?: string[] | undefined;
  readonly layers?: string | undefined;
  readonly for?: string | undefined;
}

export function archiveFlags<T>(parser: Argv<T>): Argv<T & ArchiveFlags> {
  return parser
    .option("platform", { type: "string", array: true, requiresArg: true, describe: "os/arch[/variant] or all" })
    .option("layers", { requiresArg: true, choices: ["keep", "gzip", "raw"], describe: "compression of layers (keep)" })
    .option("for", {
      requiresArg: true,
      choices: ["docker20", "docker", "podman", "ctr", "k3s"],
      describe: "adapt what this loader cannot take",
    });
}

/** @returns what to give the library for `-o WORD`: the word, or stdout for "-". @throws a usage fault */
export function archiveOutput(word: string, { stdout }: Context, isJson: boolean | undefined): string | Writable {
  if (word !== "-") return word;
  if (isJson === true) throw new UsageError("Cannot use --json: stdout is the archive, expected only one of them");
  if ("isTTY" in stdout && stdout.isTTY === true) {
    throw new UsageError("Cannot write archive to stdout: it is a terminal, expected a pipe or a file", {
      hint: 'Redirect it, as in "imgpack pull REF -o - | docker load", or name a file to write.',
    });
  }
  return stdout as Writable;
}

/** A line per name on stdout, or on stderr where stdout is the archive; changed digests are noted. */
export function printImages(context: Context, result: ConvertResult | PullResult, note: (text: string) => void): void {
  for (const { names, digest, previousDigest } of result.images) {
    for (const name of names.length === 0 ? [""] : names) {
      if (result.output === "-") note(`${name}@${digest}`);
      else printLine(context, `${name}@${digest}`);
    }
    if (previousDigest !== undefined) note(`${names[0] ?? "image"}: ${previousDigest} → ${digest}`);
  }
}
