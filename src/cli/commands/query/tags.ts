import type { CommandModule } from "yargs";
import type { SortOrder } from "../../../index.ts";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteFlags, remoteOptions } from "../../flags/remote-flags.ts";
import { jsonText } from "../../output/json-text.ts";

interface TagsFlags extends RemoteFlags {
  readonly repository?: string | undefined;
  readonly sort?: SortOrder | undefined;
  readonly limit?: number | undefined;
}

export function tagsCommand(context: Context): CommandModule<object, TagsFlags> {
  return {
    command: "tags <repository>",
    describe: "list the tags of a repository",
    builder: parser =>
      remoteFlags(
        parser
          .positional("repository", { type: "string", describe: "registry/repository" })
          .option("sort", {
            requiresArg: true,
            choices: ["semver", "time", "name"] as const,
            describe: "order; semver and time put the newest first (default: as the registry lists them)",
          })
          .option("limit", { type: "number", requiresArg: true, describe: "maximum number of results (default all)" })
          .example("$0 tags registry.lan:5000/team/app --sort semver --limit 5", "the five newest versions"),
      ),
    handler: async flags => {
      const options = await remoteOptions(flags, context);
      const { tags } = await import("../../../verbs/query/tags.ts");
      const result = await tags(flags.repository ?? "", { ...options, sort: flags.sort, limit: flags.limit });
      if (flags.json) return printLine(context, jsonText(result));
      for (const { tag, created } of result.tags) {
        const date = created === undefined ? "" : `\t${escapeForeign(created, 64)}`;
        printLine(context, `${tag}${date}`);
      }
    },
  };
}
