import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
import { escapeForeign, quote } from "../../../util/format.ts";
import { readInputText, readText } from "../../../util/input-file.ts";
import { type Context, printLine } from "../../context.ts";
import { refuseTerminal } from "../../flags/stdin-input.ts";
import { resultJson } from "../../output/result-json.ts";
import { table } from "../../screen/table.ts";
import { viewOf } from "../../screen/view.ts";
import { type HubFlags, hubFlags, hubOptions, REPOSITORY } from "./hub-flags.ts";

interface ImagesFlags extends HubFlags {
  readonly repository?: string | undefined;
  readonly set?: string | undefined;
}

export function hubImagesCommand(context: Context): CommandModule<object, ImagesFlags> {
  return {
    command: "images <repository>",
    describe: "list the images that an index has for a repository, with their checksums, or change them",
    builder: parser =>
      hubFlags(
        parser
          .positional("repository", { type: "string", describe: REPOSITORY })
          .option("set", {
            type: "string",
            requiresArg: true,
            describe: 'JSON file of [{"id", "checksum"}] to send, - for stdin (default: list the images)',
          })
          .example("$0 hub images v1://hub.lan/team/app", "the images of a repository")
          .example("$0 hub images v1://hub.lan/team/app --json > images.json", "the list, to be changed and sent back"),
      ),
    handler: async flags => await runImages(flags, context),
  };
}

async function runImages(flags: ImagesFlags, context: Context): Promise<void> {
  const { repository = "", set } = flags;
  const options = await hubOptions(flags, context, set === undefined ? [] : [set]);
  const { listImages, setImages } = await import("../../../verbs/v1/hub/hub-images.ts");
  if (set !== undefined) {
    const text = await readList(set, context.signal);
    const result = await setImages(repository, text, { ...options, listName: set === "-" ? "stdin" : quote(set) });
    return printLine(context, flags.json ? resultJson("hub images", result) : result.repository);
  }
  const result = await listImages(repository, options);
  if (flags.json) return printLine(context, resultJson("hub images", result));
  const view = viewOf(context.stdout);
  const rows = result.images.map(({ id, checksum = "", tag = "" }) =>
    [view.digest(id), view.digest(checksum), tag].map(cell => escapeForeign(cell)),
  );
  for (const line of table(["ID", "CHECKSUM", "TAG"], rows, view)) printLine(context, line);
}

async function readList(path: string, signal: AbortSignal): Promise<string> {
  refuseTerminal(path, "images", "Pipe it in, or name a file.");
  try {
    return path === "-" ? await readText(process.stdin, signal) : await readInputText(path, signal);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(`Cannot read images from ${quote(path)}: ${cause.message}, expected a JSON list of images`);
  }
}
