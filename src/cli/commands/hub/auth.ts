import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { readSecret } from "../../flags/registry-flags.ts";
import { resultJson } from "../../output/result-json.ts";
import { hubOptions, type IndexFlags, indexFlags, REPOSITORY } from "./hub-flags.ts";

interface AuthFlags extends IndexFlags {
  readonly repository?: string | undefined;
  readonly tokenStdin?: boolean | undefined;
}

export function hubAuthCommand(context: Context): CommandModule<object, AuthFlags> {
  return {
    command: "auth <repository>",
    describe: "ask an index whether it gave a token for a repository, as registries do",
    builder: parser =>
      indexFlags(
        parser
          .positional("repository", { type: "string", describe: REPOSITORY })
          .option("token-stdin", {
            type: "boolean",
            describe: 'read the token from stdin, as "hub token --show" prints it',
          })
          .example("$0 hub auth v1://hub.lan/team/app --token-stdin < token.txt", "is this token one of the index?")
          .example("$0 hub auth v1://hub.lan/team/app --token-stdin --json < token.txt", "the answer as JSON"),
      ),
    handler: async flags => await runAuth(flags, context),
  };
}

async function runAuth(flags: AuthFlags, context: Context): Promise<void> {
  const { repository = "", tokenStdin, ...others } = flags;
  if (tokenStdin !== true) {
    throw new UsageError(`Cannot check token for ${escapeForeign(repository)}: none given, expected --token-stdin`);
  }
  const token = await readSecret("token", context.signal);
  const options = await hubOptions(others, context);
  const { authorizeToken } = await import("../../../verbs/v1/hub/hub-tokens.ts");
  const result = await authorizeToken(repository, { ...options, token });
  if (flags.json) return printLine(context, resultJson("hub auth", result));
  printLine(context, escapeForeign(`token is valid for ${result.repository}, access ${result.access}`, 1000));
}
