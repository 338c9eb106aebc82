import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { checkConfirmable } from "../../flags/stdin-input.ts";
import { resultJson } from "../../output/result-json.ts";
import { type HubFlags, hubFlags, hubOptions, REPOSITORY } from "./hub-flags.ts";

interface RepoFlags extends HubFlags {
  readonly action?: string | undefined;
  readonly repository?: string | undefined;
  readonly yes?: boolean | undefined;
}

export function hubRepoCommand(context: Context): CommandModule<object, RepoFlags> {
  return {
    command: "repo <action> <repository>",
    describe: "create a repository, or delete it with all its images and tags",
    builder: parser =>
      hubFlags(
        parser
          .positional("action", { type: "string", choices: ["create", "delete"], describe: "what to do" })
          .positional("repository", { type: "string", describe: REPOSITORY })
          .option("yes", { type: "boolean", describe: "delete what was named without asking" })
          .example("$0 hub repo create v1://hub.lan/team/app", "an empty repository")
          .example("$0 hub repo delete v1://hub.lan/team/app --yes", "without a question"),
      ),
    handler: async flags => await (flags.action === "create" ? create : remove)(flags, context),
  };
}

async function create(flags: RepoFlags, context: Context): Promise<void> {
  const options = await hubOptions(flags, context);
  const { createRepository } = await import("../../../verbs/v1/hub/hub-repositories.ts");
  const result = await createRepository(flags.repository ?? "", options);
  printLine(context, flags.json ? resultJson("hub repo", result) : result.repository);
}

async function remove(flags: RepoFlags, context: Context): Promise<void> {
  const text = flags.repository ?? "";
  const name = escapeForeign(text);
  checkConfirmable(`delete repository ${name}`, flags.yes, context);
  const options = await hubOptions(flags, context);
  const { deleteRepository } = await import("../../../verbs/v1/hub/hub-repositories.ts");
  const confirm = async (repository: string): Promise<boolean> => {
    if (flags.yes === true) return true;
    const { askToConfirm } = await import("../../prompt.ts");
    return await askToConfirm(`Deleting ${repository} with all its images and tags`, context);
  };
  const result = await deleteRepository(text, { ...options, confirm });
  if (result === undefined) {
    throw new UsageError(`Cannot delete repository ${name}: the answer was no, expected yes`, {
      hint: "Nothing was deleted.",
    });
  }
  printLine(context, flags.json ? resultJson("hub repo", result) : result.repository);
}
