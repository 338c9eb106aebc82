import { UsageError } from "../../../errors.ts";
import type { GarbageResult } from "../../../index.ts";
import { counted, escapeForeign, formatBytes, quote } from "../../../util/format.ts";
import { type Context, printLine } from "../../context.ts";
import { MAX_NOTE } from "../../output/note-text.ts";
import { resultJson } from "../../output/result-json.ts";

export interface SweepFlags {
  readonly store?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `serve --store DIR --gc`: shows what nothing needs; with `--yes` it is removed. */
export async function runSweep({ store, yes, json }: SweepFlags, context: Context): Promise<void> {
  const { stderr, signal } = context;
  if (store === undefined) throw new UsageError("Cannot use --gc: no --store given, expected the folder of a registry");
  const { collectGarbage } = await import("../../../verbs/collect-garbage.ts");
  const onNote = (message: string): void => void stderr.write(`${message}\n`);
  const result = await collectGarbage(store, { remove: yes, signal, onNote });
  if (json) {
    printLine(context, resultJson("serve", result));
    return;
  }
  for (const line of sweepLines(result)) printLine(context, line);
  const [first] = result.untagged;
  if (first !== undefined) {
    const name = escapeForeign(`${first.repository}@${first.digest}`, MAX_NOTE);
    stderr.write(
      `${counted(result.untagged.length, "manifest")} without a tag stay with what they need; "imgpack delete HOST/${name}" removes one, --json names all\n`,
    );
  }
  for (const { path, found } of result.kept) {
    stderr.write(`${quote(path)} cannot be used (${escapeForeign(found, MAX_NOTE)}): what it may refer to stays\n`);
  }
}

function sweepLines({ removed, links, content, bytes, manifests, repositories }: GarbageResult): readonly string[] {
  const scope = `${counted(manifests, "manifest")} in ${counted(repositories, "repository", "repositories")}`;
  const what = `${counted(content.length, "blob")} of ${formatBytes(bytes)}`;
  const total = `${removed ? "removed" : "would remove"} ${what}, and ${counted(links.length, "link")} from repositories`;
  const hint = removed || content.length + links.length === 0 ? [] : ["Remove it with: --gc --yes"];
  return [...content.map(({ digest, size }) => `${digest} ${size}`), `${total}; ${scope} stay`, ...hint];
}
