import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { Deletion } from "../../index.ts";
import { escapeForeign } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { WRITE_REGISTRY } from "../flags/registry-flags.ts";
import { IMAGE_REFERENCE, type RemoteFlags, remoteRun, remoteV1Flags } from "../flags/remote-flags.ts";
import { checkConfirmable } from "../flags/stdin-input.ts";
import type { V1Flags } from "../flags/v1-flags.ts";
import { resultJson } from "../output/result-json.ts";

interface DeleteFlags extends RemoteFlags, V1Flags {
  readonly reference?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly allTags?: boolean | undefined;
}

export function deleteCommand(context: Context): CommandModule<object, DeleteFlags> {
  return {
    command: "delete <reference>",
    describe: "delete a tag, or by digest an image with all its tags",
    builder: parser =>
      remoteV1Flags(
        parser
          .positional("reference", { type: "string", describe: IMAGE_REFERENCE })
          .option("yes", { type: "boolean", describe: "delete what was named without asking" })
          .option("all-tags", {
            type: "boolean",
            describe:
              "delete the image's other tags, too, if the registry deletes by digest only (default: exit code 8)",
          })
          .example("$0 delete registry.lan:5000/team/app:1.3", "one tag, after a question")
          .example("$0 delete registry.lan:5000/team/app@sha256:… --yes", "the image with all its tags"),
        WRITE_REGISTRY,
      ),
    handler: async flags => await runDelete(flags, context),
  };
}

async function runDelete(flags: DeleteFlags, context: Context): Promise<void> {
  const reference = flags.reference ?? "";
  const name = escapeForeign(reference);
  checkConfirmable(`delete ${name}`, flags.yes, context);
  const { options, progress } = await remoteRun(flags, context);
  const { deleteImage } = await import("../../verbs/delete.ts");
  const confirm = async (deletion: Deletion): Promise<boolean> => {
    const text = consequence(deletion);
    if (flags.yes !== true) {
      const { askToConfirm } = await import("../prompt.ts");
      return await progress.aside(async () => await askToConfirm(text, context));
    }
    if (deletion.removes !== "tag") progress.note(text);
    return true;
  };
  // Who is asked on the terminal sees the other tags in the question.
  const allTags = flags.allTags ?? flags.yes !== true;
  const result = await deleteImage(reference, { ...options, confirm, allTags }).finally(() => progress.end());
  context.log?.result(result);
  if (result === undefined) {
    throw new UsageError(`Cannot delete ${name}: the answer was no, expected yes`, { hint: "Nothing was deleted." });
  }
  printLine(context, flags.json ? resultJson("delete", result) : result.reference);
}

/** What a deletion removes, in one sentence. */
function consequence({ reference, removes, digest, id, tags }: Deletion): string {
  if (removes === "tag") return `Deleting tag ${reference} (${digest ?? id})`;
  if (removes === "repository") return `Deleting repository ${reference} with all its tags`;
  if (tags === undefined) return `Deleting ${reference} with all its tags, which cannot be looked up`;
  const names = tags.length === 0 ? "which has no tag" : `and its ${tags.length} tag(s): ${tags.join(", ")}`;
  return `Deleting ${reference}, ${names}`;
}
