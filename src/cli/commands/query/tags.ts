import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
import type { SortOrder } from "../../../index.ts";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteRun, remoteV1Flags } from "../../flags/remote-flags.ts";
import type { V1Flags } from "../../flags/v1-flags.ts";
import { resultJson } from "../../output/result-json.ts";
import { viewOf, WHOLE } from "../../screen/view.ts";

interface TagsFlags extends RemoteFlags, V1Flags {
  readonly repository?: string | undefined;
  readonly sort?: SortOrder | undefined;
  readonly limit?: number | undefined;
}

export function tagsCommand(context: Context): CommandModule<object, TagsFlags> {
  return {
    command: "tags <repository>",
    describe: "list the tags of a repository, or what matches wildcards",
    builder: parser =>
      remoteV1Flags(
        parser
          .positional("repository", { type: "string", describe: "registry/repository, also with * and ?" })
          .option("sort", {
            requiresArg: true,
            choices: ["semver", "time", "name"] as const,
            describe: "order; semver and time put the newest first (default: as the registry lists them)",
          })
          .option("limit", { type: "number", requiresArg: true, describe: "maximum number of results (default all)" })
          .example("$0 tags registry.lan:5000/team/app", "all tags")
          .example("$0 tags 'registry.lan:5000/team/*'", "the tags of all repositories of team")
          .example("$0 tags registry.lan:5000/team/app --sort semver --limit 5", "the five newest versions"),
      ),
    handler: async flags => {
      if (hasWideGlob(flags.repository ?? "")) return await listMatches(flags, context);
      const { options, progress } = await remoteRun(flags, context);
      const { tags } = await import("../../../verbs/query/tags.ts");
      const { sort, limit } = flags;
      const result = await tags(flags.repository ?? "", { ...options, sort, limit }).finally(() => progress.end());
      context.log?.result(result);
      if (flags.json) return printLine(context, resultJson("tags", result));
      const view = viewOf(context.stdout);
      const width = result.tags.reduce((longest, { tag }) => Math.max(longest, tag.length), 0);
      for (const { tag, created } of result.tags) {
        const date = created === undefined ? "" : view.date(escapeForeign(created, 64));
        const gap = view === WHOLE ? "\t" : " ".repeat(width - tag.length + 2);
        printLine(context, date === "" ? tag : `${tag}${gap}${date}`);
      }
    },
  };
}

/** Whether wildcards stand for several repositories: they are not in the tag alone. */
function hasWideGlob(text: string): boolean {
  return /[*?]/.test(text.replace(/:[^/]*$/, ""));
}

/** The names of all images that match: they are of several repositories. */
async function listMatches(flags: TagsFlags, context: Context): Promise<void> {
  const { repository = "", sort, limit, json } = flags;
  if (sort !== undefined) {
    throw new UsageError("Cannot use --sort: wildcards name several repositories, expected one repository");
  }
  const { matchImages } = await import("../../../verbs/query/match-images.ts");
  const { options, progress } = await remoteRun(flags, context);
  const { references } = await matchImages([repository], options).finally(() => progress.end());
  const shown = references.slice(0, limit);
  if (json) return printLine(context, resultJson("tags", { references: shown }));
  for (const reference of shown) printLine(context, reference);
}
