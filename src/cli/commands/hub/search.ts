import type { CommandModule } from "yargs";
import { escapeForeign, quote } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { resultJson } from "../../output/result-json.ts";
import { table } from "../../screen/table.ts";
import { viewOf } from "../../screen/view.ts";
import { type HubFlags, hubFlags, hubOptions, INDEX } from "./hub-flags.ts";

interface SearchFlags extends HubFlags {
  readonly term?: string | undefined;
  readonly host?: string | undefined;
  readonly limit?: number | undefined;
}

export function hubSearchCommand(context: Context): CommandModule<object, SearchFlags> {
  return {
    command: "search <term> [host]",
    describe: "find repositories by a part of their name or description",
    builder: parser =>
      hubFlags(
        parser
          .positional("term", { type: "string", describe: "text to search for" })
          .positional("host", { type: "string", describe: INDEX })
          .option("limit", { type: "number", requiresArg: true, describe: "maximum number of results (default all)" })
          .example("$0 hub search nginx v1://hub.lan", "names and descriptions")
          .example("$0 hub search nginx v1://hub.lan --limit 10 --json", "the first ten, as JSON"),
      ),
    handler: async flags => {
      const options = await hubOptions(flags, context);
      const { searchIndex } = await import("../../../verbs/v1/hub/hub-search.ts");
      const result = await searchIndex(flags.term ?? "", { ...options, host: flags.host, limit: flags.limit });
      if (flags.json) return printLine(context, resultJson("hub search", result));
      const rows = result.results.map(({ name, description = "" }) => [
        escapeForeign(name),
        escapeForeign(description, 100),
      ]);
      if (rows.length === 0) {
        const message = `No repository of ${result.index} matches ${quote(result.term)}`;
        return options.onProgress?.({ kind: "note", message });
      }
      for (const line of table(["NAME", "DESCRIPTION"], rows, viewOf(context.stdout), [1])) printLine(context, line);
    },
  };
}
