import { expect, test } from "vitest";
import yargs from "yargs";
import { addCommands } from "../../../src/cli/add-commands.ts";

/** Commands that send requests to a registry. */
const COMMANDS = [
  ["push", "pull", "copy", "import"],
  ["tags", "latest", "catalog", "exists", "digest", "manifest", "config", "blob", "ping", "referrers", "tag", "delete"],
].flat();

test.each(COMMANDS)("imgpack %s takes --retry, --timeout, --limit-rate and --min-rate", async command => {
  const context = { stdout: process.stdout, stderr: process.stderr, signal: new AbortController().signal };
  const parser = addCommands(yargs([]).scriptName("imgpack").exitProcess(false), context);
  const help = await new Promise<string>((resolve, reject) => {
    void parser.parse([command, "--help"], {}, (error, _argv, output) => {
      if (error) reject(error);
      else resolve(output);
    });
  });
  for (const flag of ["--retry", "--timeout", "--limit-rate", "--min-rate"]) expect(help).toContain(flag);
});
