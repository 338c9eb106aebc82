import type { ComparedImage, ComparedSource, Comparison, ImageState } from "../../../index.ts";
import { counted, escapeForeign, formatBytes, quote, shortId } from "../../../util/format.ts";
import { table } from "../../screen/table.ts";
import type { View } from "../../screen/view.ts";

const STATES: readonly ImageState[] = ["new", "changed", "unchanged", "gone"];

/** What is new, a line per image, and what has to be carried. */
export function* comparisonLines(result: Comparison, view: View): Generator<string> {
  const { bundle, base, images, bytes } = result;
  yield* table(
    ["IMAGE", "STATE", "DIGEST", "WAS", "CARRY"],
    images.map(image => [
      escapeForeign(image.name) || "(no name)",
      image.state,
      image.digest === undefined ? "-" : view.digest(image.digest),
      image.state === "unchanged" ? "-" : earlier(image).map(view.digest).join(",") || "-",
      image.state === "gone" ? "-" : formatBytes(image.bytes),
    ]),
    view,
  );
  yield STATES.map(state => `${images.filter(image => image.state === state).length} ${state}`).join(", ");
  yield `To carry ${formatBytes(bytes.new)}, already there ${formatBytes(bytes.shared)}, no longer needed ${formatBytes(bytes.gone)}`;
  if (bytes.unassigned > 0) yield `Not known of which image: ${formatBytes(bytes.unassigned)}`;
  yield `Bundle ${described(bundle)}`;
  for (const one of base) yield `Base ${described(one)}`;
}

/** What makes the numbers differ from what one expects, a sentence each. */
export function* comparisonNotes({ bundle, base, images }: Comparison): Generator<string> {
  for (const { source, hasRawLayers } of [bundle, ...base]) {
    if (hasRawLayers)
      yield `${quote(source)} has raw layers: they cannot be matched with the compressed layers of a registry, so they count as different ones`;
  }
  for (const { name, was } of images) {
    if (new Set(was.map(({ digest }) => digest)).size < 2) continue;
    const found = was.map(({ base: index, digest }) => `${digest} in ${labelOf(base[index])}`);
    yield `${escapeForeign(name)} differs between the bases: ${found.join(", ")}`;
  }
  if (base.some(({ kind }) => kind === "registry"))
    yield "A registry is asked only for what the bundle names: what else it has is not shown as gone";
}

function earlier({ was }: ComparedImage): readonly string[] {
  return [...new Set(was.map(({ digest }) => digest))];
}

function described(source: ComparedSource): string {
  const { images, blobs } = source;
  return `${labelOf(source)}: ${counted(images, "name")}, ${counted(blobs, "blob")}`;
}

function labelOf(source: ComparedSource | undefined): string {
  if (source === undefined) return "";
  const { kind, id, source: where } = source;
  return `${kind} ${quote(where)}${id === undefined ? "" : ` with id ${shortId(id)}`}`;
}
