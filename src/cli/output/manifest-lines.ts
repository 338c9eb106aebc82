import type { ManifestResult } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";
import { table } from "../screen/table.ts";
import type { View } from "../screen/view.ts";

type Platform = ManifestResult["platforms"][number];

/** Characters of an instruction; what is longer is cut. */
const MAX_INSTRUCTION = 100;

/** A manifest as text: what it is, then each platform with a row per layer. */
export function* manifestLines(result: ManifestResult, view: View): Generator<string> {
  yield `Manifest   ${view.digest(result.reference)}`;
  yield `Type       ${escapeForeign(result.mediaType)}, ${formatBytes(result.size)}`;
  if (result.artifactType !== undefined) yield `Artifact   ${escapeForeign(result.artifactType)}`;
  if (result.subject !== undefined) yield `Subject    ${view.digest(result.subject)}`;
  const images = result.platforms.flatMap(({ platform }) => (platform === undefined ? [] : [escapeForeign(platform)]));
  if (images.length > 0) yield `Platforms  ${images.join(", ")}`;
  for (const platform of result.platforms) yield* platformLines(platform, view);
  if (result.absent.length > 0) yield `Missing    ${result.absent.map(text => escapeForeign(text)).join(", ")}`;
}

function* platformLines(image: Platform, view: View): Generator<string> {
  const { platform, digest, config, created, layers, layerBytes } = image;
  yield "";
  const built = created === undefined ? "" : `, built ${view.date(escapeForeign(created, 64))}`;
  yield `${platform === undefined ? "Not an image" : escapeForeign(platform)}, ${formatBytes(layerBytes)} in ${counted(layers.length, "layer")}${built}`;
  if (digest !== undefined) yield `Manifest   ${view.digest(digest)}`;
  if (config !== undefined) yield `Config     ${view.digest(config)}`;
  yield* table(
    ["LAYER", "SIZE", "CREATED", "INSTRUCTION"],
    layers.map(layer => [
      view.digest(layer.digest),
      formatBytes(layer.size),
      view.date(escapeForeign(layer.created ?? "", 32)),
      escapeForeign(instruction(layer.createdBy ?? layer.comment ?? ""), MAX_INSTRUCTION),
    ]),
    view,
    [3],
  );
}

/** The instruction, without the shell call that Docker's classic builder puts before it. */
function instruction(text: string): string {
  return text.replace(/^\/bin\/sh -c #\(nop\)\s+/, "").replace(/^\/bin\/sh -c\s+/, "RUN ");
}
