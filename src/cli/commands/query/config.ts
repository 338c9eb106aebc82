import type { CommandModule } from "yargs";
import { type Context, printLine } from "../../context.ts";
import {
  IMAGE_REFERENCE,
  onePlatform,
  platformFlag,
  type RemoteFlags,
  remoteRun,
  remoteV1Flags,
} from "../../flags/remote-flags.ts";
import type { V1Flags } from "../../flags/v1-flags.ts";
import type { JsonDocument } from "../../output/json-results.ts";
import { resultJson } from "../../output/result-json.ts";
import { writeDocument } from "../../output/write-document.ts";

interface ConfigFlags extends RemoteFlags, V1Flags {
  readonly reference?: string | undefined;
  readonly platform?: string | undefined;
}

export function configCommand(context: Context): CommandModule<object, ConfigFlags> {
  return {
    command: "config <reference>",
    describe: "print the config of an image, byte for byte",
    builder: parser =>
      remoteV1Flags(
        platformFlag(
          parser
            .positional("reference", { type: "string", describe: IMAGE_REFERENCE })
            .example("$0 config registry.lan:5000/team/app:1.4", "for this machine's architecture")
            .example("$0 config registry.lan:5000/team/app:1.4 --platform linux/arm64", "for another one"),
          "linux on this machine's architecture",
        ),
      ),
    handler: async flags => {
      const platform = onePlatform(flags.platform);
      const { options, progress } = await remoteRun(flags, context);
      const { config } = await import("../../../verbs/query/config.ts");
      const look = config(flags.reference ?? "", { ...options, platform });
      const { bytes, ...result } = await look.finally(() => progress.end());
      if (!flags.json) {
        writeDocument(context, bytes, "config");
        return;
      }
      const document = JSON.parse(Buffer.from(bytes).toString("utf8")) as JsonDocument;
      printLine(context, resultJson("config", { ...result, size: bytes.length, config: document }));
    },
  };
}
