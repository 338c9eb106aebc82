import { type Html, html } from "../html/html.ts";
import type { ListedImage, ListedPlatform } from "../model/catalogue.ts";
import { bar, sharingParts } from "../parts/bar.ts";
import { bareDigest, cutDigest } from "../parts/digest-code.ts";
import { breakable, foreign } from "../parts/foreign.ts";
import { imageHref } from "../parts/links.ts";
import { bytes } from "../parts/quantity.ts";
import { chip, signatureState, state } from "../parts/state.ts";
import { cell, row, rowHead, table } from "../parts/table.ts";
import { brokenWords } from "./fault-words.ts";
import { artifactName, shortPlatform } from "./platform-words.ts";

const COLUMNS = [
  { text: "Image", style: "c-name" },
  { text: "Platforms", style: "c-plat" },
  { text: "Size", style: "c-size num" },
  { text: "Sharing", style: "c-bar" },
  { text: "Own", style: "c-own num" },
  { text: "Signatures", style: "c-sig" },
  { text: "Digest", style: "c-dig" },
];
const MAX_CHIPS = 6;

/**
 * A row for each image.
 *
 * @param hasRegistry whether the names include it: images of several registries in one table
 */
export function imageTable(images: readonly ListedImage[], labelledBy: string, hasRegistry: boolean): Html {
  const rows = images.map((image, index) => imageRow(image, images[index - 1], hasRegistry));
  return html`<div class="panel">${table(COLUMNS, rows, { style: "images stack", labelledBy })}</div>`;
}

function imageRow(image: ListedImage, before: ListedImage | undefined, hasRegistry: boolean): Html {
  const { bytes: size, ownBytes, attached, signatures, digest, broken } = image;
  const isBroken = broken.length > 0;
  // Only its manifest would say it.
  const isUnknown = isBroken && size === 0;
  const isAgain = before?.path === image.path && before.registry === image.registry;
  const words = brokenWords(image);
  const drawn = isBroken ? [{ fill: "broken" as const, share: 1 }] : sharingParts(ownBytes, size);
  const kinds = new Set(attached.map(({ kind }) => kind));
  return row(
    [
      rowHead(
        html`<a href="${imageHref(image.name)}">${imageName(image, isAgain, hasRegistry)}</a>${words !== undefined && html`<br>${state("bad", words)}`}`,
        "c-name",
      ),
      cell(html`<span class="tagset">${platformChips(image)}</span>`, "c-plat"),
      cell(isUnknown ? "unknown" : bytes(size), "c-size num"),
      cell(bar(8, drawn), "c-bar"),
      cell(isUnknown ? "" : bytes(ownBytes), "c-own num", "own"),
      cell(html`${signatureState(signatures)}${kinds.has("sbom") && html` ${chip("SBOM")}`}`, "c-sig"),
      cell(bareDigest(digest), "c-dig"),
    ],
    { style: isBroken ? "hurt" : undefined },
  );
}

function imageName({ registry, path, tag, digest }: ListedImage, isAgain: boolean, hasRegistry: boolean): Html {
  const name = hasRegistry && registry !== "" ? `${registry}/${path}` : path;
  const version = tag === undefined ? `@${cutDigest(digest)}` : `:${tag}`;
  return html`<span class="repo${isAgain && " again"}">${breakable(name)}</span><span class="tag">${version}</span>`;
}

function platformChips(image: ListedImage): readonly Html[] {
  if (image.isArtifact) return [chip(artifactName(image), { title: image.artifactType ?? "" })];
  const here = image.platforms.filter(({ state }) => state !== "left out");
  const left = image.platforms.filter(({ state }) => state === "left out");
  const chips = here
    .slice(0, MAX_CHIPS)
    .map(({ label }) => chip(foreign(shortPlatform(label), MAX_LABEL), { title: label.slice(0, MAX_LABEL) }));
  if (here.length > MAX_CHIPS)
    chips.push(chip(`${here.length - MAX_CHIPS} more`, { title: labels(here.slice(MAX_CHIPS)) }));
  if (left.length > 0)
    chips.push(
      chip(`${left.length} left out`, { isAbsent: true, title: `Named by the image, not here: ${labels(left)}` }),
    );
  return chips;
}

/** Characters of a platform, and of a list of platforms. */
const MAX_LABEL = 64;
const MAX_LABELS = 512;

function labels(platforms: readonly ListedPlatform[]): string {
  return platforms
    .map(({ label }) => label.slice(0, MAX_LABEL))
    .join(", ")
    .slice(0, MAX_LABELS);
}
