import type { CommandModule } from "yargs";
import { type Context, printLine } from "../context.ts";
import { WRITE_REGISTRY } from "../flags/registry-flags.ts";
import { IMAGE_REFERENCE, type RemoteFlags, remoteRun, remoteV1Flags } from "../flags/remote-flags.ts";
import type { V1Flags } from "../flags/v1-flags.ts";
import { reportResult } from "../output/report-result.ts";
import { resultJson } from "../output/result-json.ts";

interface TagFlags extends RemoteFlags, V1Flags {
  readonly reference?: string | undefined;
  readonly tag?: string[] | undefined;
}

export function tagCommand(context: Context): CommandModule<object, TagFlags> {
  return {
    command: "tag <reference> <tag..>",
    describe: "give an image in a registry more names, without pulling it",
    builder: parser =>
      remoteV1Flags(
        parser
          .positional("reference", { type: "string", describe: IMAGE_REFERENCE })
          .positional("tag", { type: "string", array: true, describe: "tags, or repository:tag in the same registry" })
          .example("$0 tag registry.lan:5000/app:1.4.2 1.4 latest", "two more tags")
          .example("$0 tag registry.lan:5000/app:1.4.2 prod/app:1.4.2", "in another repository, blobs mounted"),
        WRITE_REGISTRY,
      ),
    handler: async flags => {
      const { options, progress } = await remoteRun(flags, context);
      const { tag } = await import("../../verbs/tag.ts");
      await reportResult(
        flags,
        async () => await tag(flags.reference ?? "", flags.tag ?? [], options).finally(() => progress.end()),
        result => {
          if (flags.json) return printLine(context, resultJson("tag", result));
          for (const reference of result.references)
            printLine(context, result.digest === undefined ? reference : `${reference}@${result.digest}`);
        },
        context.log,
      );
    },
  };
}
