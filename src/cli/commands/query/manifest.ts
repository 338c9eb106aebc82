import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
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
import { writeDocument } from "../../output/write-document.ts";
import { viewOf, wrappedLines } from "../../screen/view.ts";

interface ManifestFlags extends RemoteFlags {
  readonly reference?: string | undefined;
  readonly platform?: string | undefined;
  readonly raw?: boolean | undefined;
}

export function manifestCommand(context: Context): CommandModule<object, ManifestFlags> {
  return {
    command: "manifest <reference>",
    describe: "show the layers of an image: size, date and instruction of each",
    builder: parser =>
      remoteFlags(
        platformFlag(
          parser
            .positional("reference", { type: "string", describe: IMAGE_REFERENCE })
            .option("raw", { type: "boolean", describe: "print the manifest or index itself, byte for byte" })
            .example("$0 manifest registry.lan:5000/team/app:1.4", "the layers for each platform")
            .example("$0 manifest registry.lan:5000/team/app:1.4 --raw > index.json", "the bytes that the tag names"),
          "all; with --raw, the index itself",
        ),
      ),
    handler: async flags => {
      const platform = onePlatform(flags.platform);
      if (flags.raw && flags.json) throw new UsageError("Cannot use --raw: --json given as well, expected one of them");
      const { options, progress } = await remoteRun(flags, context);
      const reference = flags.reference ?? "";
      const given = { ...options, platform };
      const { manifest, rawManifest } = await import("../../../verbs/query/manifest.ts");
      if (flags.raw) {
        const { bytes } = await rawManifest(reference, given).finally(() => progress.end());
        writeDocument(context, bytes, "manifest");
        return;
      }
      const result = await manifest(reference, given).finally(() => progress.end());
      context.log?.result(result);
      if (flags.json) return printLine(context, resultJson("manifest", result));
      const { manifestLines } = await import("../../output/manifest-lines.ts");
      const view = viewOf(context.stdout);
      for (const line of wrappedLines(manifestLines(result, view), view)) printLine(context, line);
    },
  };
}
