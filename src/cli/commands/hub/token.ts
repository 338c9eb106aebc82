import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { checkConfirmable } from "../../flags/stdin-input.ts";
import { resultJson } from "../../output/result-json.ts";
import { type HubFlags, hubFlags, hubOptions, REPOSITORY } from "./hub-flags.ts";

interface TokenFlags extends HubFlags {
  readonly repository?: string | undefined;
  readonly access?: string | undefined;
  readonly show?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

export function hubTokenCommand(context: Context): CommandModule<object, TokenFlags> {
  return {
    command: "token <repository>",
    describe: "request a token for the registries of a repository, and report what it allows",
    builder: parser =>
      hubFlags(
        parser
          .positional("repository", { type: "string", describe: REPOSITORY })
          .option("access", {
            choices: ["read", "write", "delete"],
            requiresArg: true,
            describe: "what the token allows: write creates the repository, delete begins its deletion (default read)",
          })
          .option("show", { type: "boolean", describe: "print the token itself, which is a secret" })
          .option("yes", { type: "boolean", describe: "request a token for deletion without asking" })
          .example("$0 hub token v1://hub.lan/team/app", "what a token allows, and for which registries")
          .example("$0 hub token v1://hub.lan/team/app --access write --show", "a token to push with"),
      ),
    handler: async flags => await runToken(flags, context),
  };
}

async function runToken(flags: TokenFlags, context: Context): Promise<void> {
  const text = flags.repository ?? "";
  const access = flags.access === "write" || flags.access === "delete" ? flags.access : "read";
  const name = escapeForeign(text);
  if (access === "delete") checkConfirmable(`read token for ${name}`, flags.yes, context);
  const options = await hubOptions(flags, context);
  const { readToken } = await import("../../../verbs/v1/hub/hub-tokens.ts");
  const confirm = async (repository: string): Promise<boolean> => {
    if (flags.yes === true) return true;
    const { askToConfirm } = await import("../../prompt.ts");
    return await askToConfirm(
      `Asking for the deletion of ${repository}, which a server without an index does at once`,
      context,
    );
  };
  const result = await readToken(text, { ...options, access, confirm });
  if (result === undefined) {
    throw new UsageError(`Cannot read token for ${name}: the answer was no, expected yes`, {
      hint: "Nothing was requested.",
    });
  }
  const { token, ...rest } = result;
  if (flags.json) return printLine(context, resultJson("hub token", flags.show === true ? result : rest));
  if (flags.show === true) return printLine(context, escapeForeign(token, token.length));
  printLine(context, escapeForeign(`token for ${rest.repository}, access ${rest.access}`, 1000));
}
