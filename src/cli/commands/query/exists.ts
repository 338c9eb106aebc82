import type { CommandModule } from "yargs";
import { NotFoundError, UsageError } from "../../../errors.ts";
import type { MissingImages } from "../../../index.ts";
import { counted } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { fromFileFlag, guessFlag, type ListFlags, listedImages } from "../../flags/list-flags.ts";
import { type MappingFlags, mappingFlags } from "../../flags/mapping-flags.ts";
import { type RemoteFlags, type RemoteRun, remoteRun, remoteV1Flags } from "../../flags/remote-flags.ts";
import type { V1Flags } from "../../flags/v1-flags.ts";
import { ReportedError } from "../../output/render-error.ts";
import { resultJson } from "../../output/result-json.ts";

interface ExistsFlags extends RemoteFlags, V1Flags, ListFlags, MappingFlags {
  readonly references?: string[] | undefined;
  readonly to?: string | undefined;
}

export function existsCommand(context: Context): CommandModule<object, ExistsFlags> {
  return {
    command: "exists [references..]",
    describe: "check that a registry has images (exit code 5 if it lacks one)",
    builder: parser =>
      guessFlag(
        fromFileFlag(
          mappingFlags(
            remoteV1Flags(
              parser
                .positional("references", {
                  type: "string",
                  array: true,
                  describe: "images: registry/repository:tag or @digest",
                })
                .option("to", {
                  type: "string",
                  requiresArg: true,
                  describe: "registry and prefix below which the images are (default: the registry of each image)",
                })
                .example("$0 exists registry.lan:5000/team/app:1.4", "exit code 0 if it is there, 5 if it is not")
                .example("$0 exists -f app.yaml --to registry.lan:5000/mirror", "what the mirror lacks, as a list"),
            ),
          ),
          "references",
        ),
      ),
    handler: async flags => await runExists(flags, context),
  };
}

async function runExists(flags: ExistsFlags, context: Context): Promise<void> {
  const named = flags.references ?? [];
  const { to, layout, map, fromFile } = flags;
  if (to === undefined && (layout !== undefined || map !== undefined)) {
    const flag = layout === undefined ? "--map" : "--layout";
    throw new UsageError(`Cannot use ${flag}: no target named, expected --to HOST/PREFIX`);
  }
  const run = await remoteRun(flags, context);
  const { options, progress } = run;
  const [only = ""] = named;
  if (to === undefined && fromFile === undefined && named.length === 1 && !/[*?]/.test(only)) {
    const { exists } = await import("../../../verbs/query/exists.ts");
    const isPresent = await exists(only, options).finally(() => progress.end());
    if (flags.json) printLine(context, resultJson("exists", { reference: only, exists: isPresent }));
    return answer(isPresent);
  }
  const found = await missing(flags, context, run).finally(() => progress.end());
  if (flags.json) printLine(context, resultJson("exists", found));
  else for (const { image } of found.missing) printLine(context, image);
  const elsewhere = found.missing.filter(({ image, target }) => image !== target);
  if (elsewhere.length > 0) progress.note(lookedFor(elsewhere.map(({ target }) => target)));
  const other = found.missing.filter(image => image.found !== undefined).length;
  if (other > 0)
    progress.note(
      `${counted(other, "tag")} ${other === 1 ? "has" : "have"} another digest at the target than in the lock: push changes the digest of an index when it leaves platforms out, unless the image is locked with --sparse prune, or pushed with --sparse keep`,
    );
  answer(found.missing.length === 0);
}

async function missing(
  flags: ExistsFlags,
  { signal }: Context,
  { options, progress }: RemoteRun,
): Promise<MissingImages> {
  const named = flags.references ?? [];
  const { to, layout, map } = flags;
  const images = await listedImages(named, flags, "exists", signal, progress.note);
  const { missingImages } = await import("../../../verbs/query/missing-images.ts");
  return await missingImages(images, { ...options, to, layout, map, trustedReferences: named });
}

/** Names of the target; others are counted. */
const MAX_TARGETS = 4;

/** Lines of stdout are images as the list names them, not where they were looked for. */
function lookedFor(targets: readonly string[]): string {
  const more = targets.length > MAX_TARGETS ? ` and ${targets.length - MAX_TARGETS} more` : "";
  return `Not there: ${targets.slice(0, MAX_TARGETS).join(", ")}${more}`;
}

/** "No" is an answer: it has an exit code, but is no error. */
function answer(isPresent: boolean): void {
  if (!isPresent) throw new ReportedError(new NotFoundError(""));
}
