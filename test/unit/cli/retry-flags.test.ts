import { expect, test } from "vitest";
import yargs from "yargs";
import { COMMAND_NAMES, type CommandName, loadCommand } from "../../../src/cli/load-command.ts";

/** Commands that send requests to a registry, and can repeat them. */
const COMMANDS: readonly CommandName[] = COMMAND_NAMES.filter(
  name =>
    !["inspect", "verify", "doctor", "convert", "serve", "login", "logout", "hub", "completion", "mirrors"].includes(
      name,
    ),
);

test.each(COMMANDS)("imgpack %s takes --retry, --timeout, --limit-rate and --min-rate", async command => {
  const context = { stdout: process.stdout, stderr: process.stderr, signal: new AbortController().signal };
  const parser = yargs([]).scriptName("imgpack").exitProcess(false);
  parser.command(await loadCommand(command, context));
  const help = await new Promise<string>((resolve, reject) => {
    void parser.parse([command, "--help"], {}, (error, _argv, output) => {
      if (error) reject(error);
      else resolve(output);
    });
  });
  for (const flag of ["--retry", "--timeout", "--limit-rate", "--min-rate"]) expect(help).toContain(flag);
});
