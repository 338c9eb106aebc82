import type { CommandModule } from "yargs";
import { InternalError } from "../../errors.ts";

/** Its definition. What it prints is made of the definitions of all commands, so `main` itself runs it. */
export function helpCommand(): CommandModule<object, { readonly topic?: readonly string[] | undefined }> {
  return {
    command: "help [topic..]",
    describe: "explain a command, the environment, exit-codes or formats",
    builder: parser =>
      parser
        .positional("topic", {
          type: "string",
          array: true,
          describe: "command, environment, exit-codes or formats (default: list the commands)",
        })
        .example("$0 help push", "the same as imgpack push --help")
        .example("$0 help hub search", "a command of hub")
        .example("$0 help exit-codes", "what the exit codes mean"),
    handler: () => {
      throw new InternalError("Cannot show help: it was asked for as a command, expected to be shown already");
    },
  };
}
