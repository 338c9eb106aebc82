import type { AbsentBlob } from "../../../archive/archive-source.ts";
import type { Lock } from "../../../bundle/lock/lock.ts";
import { foreignLayerHosts } from "../../../oci/foreign-layer.ts";
import { counted, shortId } from "../../../util/format.ts";
import type { ServedBundle } from "../../content/served-registry.ts";
import type { Catalogue, ListedImage } from "../model/catalogue.ts";
import type { ReadContents } from "./image-reader.ts";
import type { LeftOut } from "./transfer-report.ts";

/** Names that one row shows. */
const MAX_NAMES = 5;

export interface ReadImage {
  readonly image: ListedImage;
  readonly contents: ReadContents;
}

/** All that a bundle names and does not bring, what matters most first. */
export function leftOut(
  images: readonly ReadImage[],
  { bundle, lock }: Pick<Catalogue, "bundle" | "lock">,
): readonly LeftOut[] {
  return [
    ...damaged(images),
    ...missingVolumes(bundle),
    ...(lock?.left ?? []).map(({ name, why }): LeftOut => ({ kind: "image", what: name, why })),
    ...assumedLayers(bundle, lock),
    ...foreignLayers(images),
    ...unknownReferrers(images, lock),
    ...absentPlatforms(images, lock),
  ];
}

function damaged(images: readonly ReadImage[]): readonly LeftOut[] {
  return images.flatMap(({ image: { name, digest, broken } }): readonly LeftOut[] => {
    const faults = broken.filter(({ why }) => why === "damaged" || why === "unreadable");
    const [first] = faults;
    if (first === undefined) return [];
    const what = `${name || digest}, whole`;
    return [{ kind: "damage", what, why: `damaged: ${first.kind} ${first.digest}`, bytes: bytesOf(faults) }];
  });
}

function missingVolumes(bundle: ServedBundle | undefined): readonly LeftOut[] {
  const { of = 0, missing = [] } = bundle?.volumes ?? {};
  const absent = (bundle?.absent ?? []).filter(({ why }) => why === "volume");
  return missing.map(number => ({
    kind: "volume",
    what: `Volume ${number} of ${of}`,
    why: "missing",
    bytes: lackingBytes(absent.filter(({ volumes: [first] }) => first === number)),
  }));
}

/** Of what is split among volumes, the parts that are there are no part of it. */
export function lackingBytes(blobs: readonly AbsentBlob[]): number {
  return blobs.reduce((sum, { size, lacking = size }) => sum + lacking, 0);
}

function assumedLayers(bundle: ServedBundle | undefined, lock: Lock | undefined): readonly LeftOut[] {
  const layers = (bundle?.absent ?? []).filter(({ why }) => why === "assumed");
  if (layers.length === 0) return [];
  const bases = (lock?.bases ?? []).map(shortId);
  const where = bases.length === 0 ? "the base" : `${bases.length === 1 ? "base" : "bases"} ${bases.join(", ")}`;
  return [{ kind: "base", what: counted(layers.length, "layer"), why: `already in ${where}`, bytes: bytesOf(layers) }];
}

function foreignLayers(images: readonly ReadImage[]): readonly LeftOut[] {
  return images.flatMap(({ image: { name, digest }, contents: { foreign } }): readonly LeftOut[] => {
    if (foreign.length === 0) return [];
    const hosts = [...new Set(foreign.flatMap(foreignLayerHosts))];
    const where = hosts.length === 0 ? "" : `: ${hosts.join(", ")}`;
    const what = `${counted(foreign.length, "layer")} of ${name || digest}`;
    return [{ kind: "foreign", what, why: `only the publisher may give them away${where}`, bytes: bytesOf(foreign) }];
  });
}

function unknownReferrers(images: readonly ReadImage[], lock: Lock | undefined): readonly LeftOut[] {
  if (lock?.referrers === false)
    return [{ kind: "referrers", what: "Signatures and SBOMs of all images", why: "unknown: no one asked for them" }];
  const reasons = {
    refused: "the source registry refused the question",
    unsupported: "the source registry cannot say",
  };
  return (["refused", "unsupported"] as const).flatMap((lookup): readonly LeftOut[] => {
    const names = images.flatMap(({ image }) => (image.locked?.lookup === lookup ? [image.name || image.digest] : []));
    if (names.length === 0) return [];
    return [{ kind: "referrers", what: `Signatures of ${someOf(names)}`, why: `unknown: ${reasons[lookup]}` }];
  });
}

function absentPlatforms(images: readonly ReadImage[], lock: Lock | undefined): readonly LeftOut[] {
  return images.flatMap(({ image: { name, digest, platforms, locked } }): readonly LeftOut[] => {
    const absent = platforms.flatMap(({ state, label, digest }) => (state === "left out" ? [label || digest] : []));
    if (absent.length === 0) return [];
    const chosen = locked?.platforms ?? lock?.platforms ?? [];
    const what = `${name || digest}, ${absent.length === 1 ? "platform" : "platforms"} ${absent.join(", ")}`;
    const why = chosen.length === 0 ? "not here" : `not among the chosen platforms (${chosen.join(", ")})`;
    return [{ kind: "platform", what, why }];
  });
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(", ");
  return names.length <= MAX_NAMES ? shown : `${shown} and ${names.length - MAX_NAMES} more`;
}

function bytesOf(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}
