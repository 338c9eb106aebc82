import type { Inspection } from "../../index.ts";
import { counted, escapeForeign, formatBytes, shortId } from "../../util/format.ts";
import { table } from "../screen/table.ts";
import type { View } from "../screen/view.ts";
import { absentLayer, imageNames } from "./image-names.ts";
import { referrersText } from "./referrers-text.ts";

type Image = Inspection["images"][number];
type ImagePlatform = Image["platforms"][number];

/** An inspection as text: the names of each image, and for each platform its config and a table of layers. */
export function* inspectionLines({ kind, images, volumes, delta, need }: Inspection, view: View): Generator<string> {
  if (volumes !== undefined) yield* volumeLines(volumes);
  if (delta !== undefined) yield* deltaLines(delta);
  if (need !== undefined) yield* needLines(kind === "archive" ? "Patch" : "Need list", need);
  for (const [index, image] of images.entries()) {
    if (index > 0) yield "";
    yield* imageLines(image, view);
  }
}

function* volumeLines({ bundle, of, missing, hidden }: NonNullable<Inspection["volumes"]>): Generator<string> {
  yield `Bundle     ${shortId(bundle)}`;
  yield `Volumes    ${of - missing.length} of ${of}${missing.length === 0 ? "" : `, missing ${missing.join(", ")}`}`;
  if (hidden.length > 0) yield `Not shown  ${hidden.map(name => escapeForeign(name)).join(", ")}: in a missing volume`;
  yield "";
}

function* deltaLines({ bundle, bases, assumed, missing }: NonNullable<Inspection["delta"]>): Generator<string> {
  yield `Delta      ${bundle === undefined ? "several" : shortId(bundle)}`;
  yield `Base       ${bases.map(shortId).join(", ") || "unknown"}`;
  yield `Left out   ${counted(assumed.blobs, "layer")}, ${formatBytes(assumed.bytes)}`;
  if (missing.length > 0)
    yield `Not here   ${counted(missing.length, "layer")} of these: the registry or a base must have them`;
  yield "";
}

function* needLines(
  title: string,
  { of, images, volumes, blobs, pieces }: NonNullable<Inspection["need"]>,
): Generator<string> {
  yield `${title.padEnd(10)} for bundle ${shortId(of)}`;
  for (const [index, name] of images.entries())
    yield `${index === 0 ? "Images    " : "          "} ${escapeForeign(name)}`;
  if (volumes.length > 0) yield `Volumes    ${volumes.join(", ")}`;
  yield `Blobs      ${blobs.count}, ${formatBytes(blobs.bytes)}`;
  if (pieces.count > 0) yield `Pieces     ${pieces.count}, ${formatBytes(pieces.bytes)}, of large blobs`;
}

function* imageLines(image: Image, view: View): Generator<string> {
  const { digest, mediaType, platforms, absent, referrers, v1Id } = image;
  yield `Image      ${imageNames(image) || "(no name)"}`;
  if (v1Id !== undefined) yield `v1 ID      ${view.digest(v1Id)}`;
  const none = v1Id === undefined ? "it is pushed: raw layers, no manifest" : "its layers are read";
  yield `Digest     ${digest === undefined ? `none until ${none}` : view.digest(digest)}`;
  yield `Type       ${escapeForeign(mediaType)}`;
  if (referrers !== undefined) yield `Referrers  ${referrersText(referrers)}`;
  for (const platform of platforms) yield* platformLines(platform, view);
  if (absent.length > 0) yield `Missing    ${absent.join(", ")}`;
}

function* platformLines(
  { platform, digest, config, created, layers, history, runtime, v1Layers }: ImagePlatform,
  view: View,
): Generator<string> {
  yield "";
  yield `Platform   ${platform === undefined ? "none (not an image)" : escapeForeign(platform)}`;
  if (digest !== undefined) yield `Manifest   ${view.digest(digest)}`;
  if (v1Layers !== undefined && created !== undefined) yield `Created    ${view.date(escapeForeign(created))}`;
  if (config !== undefined)
    yield `Config     ${view.digest(config)}${created === undefined ? "" : `  created ${view.date(escapeForeign(created))}`}`;
  const settings: readonly (readonly [string, readonly string[]])[] = [
    ["Entrypoint", runtime?.entrypoint ?? []],
    ["Command", runtime?.cmd ?? []],
    ["Env", runtime?.env ?? []],
    ["Ports", runtime?.exposedPorts ?? []],
    ["Labels", Object.entries(runtime?.labels ?? {}).map(([key, value]) => `${key}=${value}`)],
  ];
  for (const [title, values] of settings) {
    if (values.length > 0) yield `${title.padEnd(11)}${values.map(value => escapeForeign(value)).join("  ")}`;
  }
  const steps = history.filter(({ emptyLayer }) => !emptyLayer);
  if (v1Layers !== undefined) {
    yield* table(
      ["LAYER", "SIZE", "MADE BY"],
      v1Layers.map(({ id, size }, index) => [
        view.digest(id),
        size === undefined ? "unknown" : formatBytes(size),
        escapeForeign(steps[index]?.createdBy ?? "", 60),
      ]),
      view,
      [2],
    );
    return;
  }
  yield* table(
    ["LAYER", "SIZE", "DIFF_ID", "MADE BY"],
    layers.map(({ digest, size, diffId }, index) => [
      view.digest(digest),
      formatBytes(size),
      diffId === undefined || diffId === digest ? "same" : view.digest(diffId),
      escapeForeign(steps[index]?.createdBy ?? "", 60),
    ]),
    view,
    [3],
  );
  for (const layer of layers) yield* absentLayer(layer);
}
