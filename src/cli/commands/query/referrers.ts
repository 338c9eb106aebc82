import type { CommandModule } from "yargs";
import { escapeForeign, formatBytes } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import {
  IMAGE_REFERENCE,
  onePlatform,
  platformFlag,
  type RemoteFlags,
  remoteFlags,
  remoteRun,
} from "../../flags/remote-flags.ts";
import { resultJson } from "../../output/result-json.ts";
import { table } from "../../screen/table.ts";
import { viewOf } from "../../screen/view.ts";

interface ReferrersFlags extends RemoteFlags {
  readonly reference?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly platform?: string | undefined;
}

export function referrersCommand(context: Context): CommandModule<object, ReferrersFlags> {
  return {
    command: "referrers <reference>",
    describe: "list signatures, attestations and SBOMs of an image",
    builder: parser =>
      remoteFlags(
        platformFlag(
          parser
            .positional("reference", { type: "string", describe: IMAGE_REFERENCE })
            .option("artifact-type", {
              type: "string",
              requiresArg: true,
              describe: "list only this artifact type (default all)",
            })
            .example("$0 referrers registry.lan:5000/team/app:1.4", "all that refers to the image")
            .example("$0 referrers registry.lan:5000/team/app:1.4 --artifact-type application/spdx+json", "only SBOMs"),
          "the index itself",
        ),
      ),
    handler: async flags => {
      const platform = onePlatform(flags.platform);
      const { options, progress } = await remoteRun(flags, context);
      const { referrers } = await import("../../../verbs/query/referrers.ts");
      const { artifactType } = flags;
      const look = referrers(flags.reference ?? "", { ...options, artifactType, platform });
      const result = await look.finally(() => progress.end());
      context.log?.result(result);
      if (flags.json) return printLine(context, resultJson("referrers", result));
      if (result.via === "tag") progress.note(NO_API);
      const view = viewOf(context.stdout);
      const rows = result.referrers.map(({ digest, size, artifactType: type, mediaType }) => [
        view.digest(digest),
        formatBytes(size),
        escapeForeign(type ?? mediaType, 128),
      ]);
      for (const line of table(["REFERRER", "SIZE", "ARTIFACT TYPE"], rows, view, [2])) printLine(context, line);
    },
  };
}

const NO_API = "This registry has no referrers API, so its fallback tag was read";
