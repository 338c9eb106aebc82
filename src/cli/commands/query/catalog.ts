import type { CommandModule } from "yargs";
import { escapeForeign } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { type RemoteFlags, remoteRun, remoteV1Flags } from "../../flags/remote-flags.ts";
import type { V1Flags } from "../../flags/v1-flags.ts";
import { resultJson } from "../../output/result-json.ts";

interface CatalogFlags extends RemoteFlags, V1Flags {
  readonly host?: string | undefined;
  readonly limit?: number | undefined;
}

export function catalogCommand(context: Context): CommandModule<object, CatalogFlags> {
  return {
    command: "catalog <host>",
    describe: "list the repositories of a registry",
    builder: parser =>
      remoteV1Flags(
        parser
          .positional("host", { type: "string", describe: "registry HOST[:PORT]" })
          .option("limit", { type: "number", requiresArg: true, describe: "maximum number of results (default all)" })
          .example("$0 catalog registry.lan:5000", "all repositories")
          .example("$0 catalog v1://old.lan:5000 --limit 20", "twenty of a registry of the v1 protocol"),
      ),
    handler: async flags => {
      const { options, progress } = await remoteRun(flags, context);
      const { catalog } = await import("../../../verbs/query/catalog.ts");
      const look = catalog(flags.host ?? "", { ...options, limit: flags.limit });
      const result = await look.finally(() => progress.end());
      context.log?.result(result);
      if (flags.json) return printLine(context, resultJson("catalog", result));
      for (const repository of result.repositories) printLine(context, escapeForeign(repository));
    },
  };
}
