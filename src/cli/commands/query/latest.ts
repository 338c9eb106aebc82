import type { CommandModule } from "yargs";
import type { LatestBy } from "../../../index.ts";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteFlags, remoteRun } from "../../flags/remote-flags.ts";
import { resultJson } from "../../output/result-json.ts";

interface LatestFlags extends RemoteFlags {
  readonly repository?: string | undefined;
  readonly by?: LatestBy | undefined;
  readonly prerelease?: boolean | undefined;
}

export function latestCommand(context: Context): CommandModule<object, LatestFlags> {
  return {
    command: "latest <repository>",
    describe: "print the newest image of a repository, with its digest",
    builder: parser =>
      remoteFlags(
        parser
          .positional("repository", { type: "string", describe: "registry/repository" })
          .option("by", {
            requiresArg: true,
            choices: ["semver", "created"] as const,
            describe: "what counts as the newest: the highest version, or the last one built (default semver)",
          })
          .option("prerelease", { type: "boolean", describe: "include versions with a suffix, such as 1.5.0-rc.1" })
          .example("$0 latest registry.lan:5000/team/app", "the highest version")
          .example("$0 latest registry.lan:5000/team/app --by created", "the image that was built last"),
      ),
    handler: async flags => {
      const { options, progress } = await remoteRun(flags, context);
      const { latest } = await import("../../../verbs/query/latest.ts");
      const { by, prerelease } = flags;
      const look = latest(flags.repository ?? "", { ...options, by, prerelease });
      const result = await look.finally(() => progress.end());
      context.log?.result(result);
      printLine(context, flags.json ? resultJson("latest", result) : result.reference);
    },
  };
}
