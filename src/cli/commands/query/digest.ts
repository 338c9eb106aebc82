import type { CommandModule } from "yargs";
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

interface DigestFlags extends RemoteFlags {
  readonly reference?: string | undefined;
  readonly platform?: string | undefined;
}

export function digestCommand(context: Context): CommandModule<object, DigestFlags> {
  return {
    command: "digest <reference>",
    describe: "print the digest of a tag, as registry/repository@sha256:…",
    builder: parser =>
      remoteFlags(
        platformFlag(
          parser
            .positional("reference", { type: "string", describe: IMAGE_REFERENCE })
            .example("$0 digest registry.lan:5000/team/app:1.4", "what the tag names now")
            .example("$0 digest registry.lan:5000/team/app:1.4 --platform linux/arm64", "the image for one platform"),
          "the index itself",
        ),
      ),
    handler: async flags => {
      const platform = onePlatform(flags.platform);
      const { options, progress } = await remoteRun(flags, context);
      const { digest } = await import("../../../verbs/query/digest.ts");
      const result = await digest(flags.reference ?? "", { ...options, platform }).finally(() => progress.end());
      context.log?.result(result);
      printLine(context, flags.json ? resultJson("digest", result) : result.reference);
    },
  };
}
