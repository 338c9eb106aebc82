import type { ImageState } from "../../../bundle/base/compare-bundles.ts";
import { appendTo } from "../../../util/append.ts";
import { type Html, html, type Part } from "../html/html.ts";
import { section } from "../parts/blocks.ts";
import { wholeDigest } from "../parts/digest-code.ts";
import { breakable, foreign } from "../parts/foreign.ts";
import { bytes, many } from "../parts/quantity.ts";
import { type StateKind, signatureState, state } from "../parts/state.ts";
import { type Column, cell, groupHead, row, rowHead, tableOfGroups } from "../parts/table.ts";
import type { TransferImage, TransferReferrers, TransferReport } from "./transfer-report.ts";

const STATES: Readonly<Record<ImageState, StateKind>> = {
  new: "new",
  changed: "changed",
  unchanged: "same",
  gone: "gone",
};

/** All images, each registry a group, on sheets of their own. */
export function imageAnnex(report: TransferReport): Html {
  const { compared, images } = report;
  const columns: readonly Column[] = [
    ...(compared ? [{ text: "State", style: "r-st" }] : []),
    { text: "Image and digest" },
    { text: "Platforms", style: "r-pl" },
    ...(compared ? [{ text: "New there", style: "num r-by" }] : []),
    { text: "In all", style: "num r-by" },
    { text: "Signatures", style: "r-sg" },
    { text: "Licence label", style: "r-li" },
  ];
  const groups: (readonly Html[])[] = [];
  const here = images.filter(({ state }) => state !== "gone");
  for (const [registry, of] of byRegistry(here)) {
    groups.push([groupHead(foreign(registry), columns.length), ...of.map(image => imageRow(image, report))]);
  }
  const gone = images.filter(({ state }) => state === "gone");
  if (gone.length > 0) {
    const title = "Gone: no longer on the list, nothing is deleted on the far side";
    groups.push([groupHead(title, columns.length), ...gone.map(image => goneRow(image, columns.length))]);
  }
  const list = tableOfGroups(columns, groups, { style: "fix stack", labelledBy: "i" });
  return html`<div class="annex">${section("i", "Annex: images", "sizes compressed, of all carried platforms", list, NOTE)}</div>`;
}

const NOTE: Html = html`<p class="small soft">Signatures are counted, not checked, unless they are &ldquo;verified&rdquo;. &ldquo;Not signed&rdquo;: the source was asked and has none. &ldquo;Unknown&rdquo;: the source could not be asked. Licences are what a label of the image says.</p>`;

function imageRow(image: TransferImage, { compared }: TransferReport): Html {
  return row([
    ...(compared ? [cell(image.state && state(STATES[image.state], image.state), "r-st")] : []),
    rowHead(html`${nameOf(image)}${image.digest && html`<br>${wholeDigest(image.digest)}`}`, "row"),
    cell(platformsOf(image), "r-pl row"),
    ...(compared ? [cell(knownBytes(image.newBytes), "num", "new there")] : []),
    cell(knownBytes(image.bytes), "num", "in all"),
    cell(signatures(image.referrers)),
    cell(licensesOf(image)),
  ]);
}

function knownBytes(size: number | undefined): string {
  if (size === undefined) return "not known";
  return size === 0 ? "0" : bytes(size);
}

function goneRow(image: TransferImage, columns: number): Html {
  const was = (image.was ?? []).map(digest => html`<br>${wholeDigest(digest)}`);
  const content = html`${nameOf(image, true)}${was}`;
  return row([
    cell(state("gone", "gone")),
    html`<th role="rowheader" scope="row" colspan="${columns - 1}">${content}</th>`,
  ]);
}

function nameOf({ name }: TransferImage, isWhole = false): Html {
  if (name === "") return html`<span class="name soft">without a name</span>`;
  const shown = isWhole ? name : name.slice(registryOf(name).length + 1) || name;
  return html`<span class="name">${breakable(shown)}</span>`;
}

function byRegistry(images: readonly TransferImage[]): ReadonlyMap<string, readonly TransferImage[]> {
  const groups = new Map<string, TransferImage[]>();
  for (const image of images) appendTo(groups, image.name === "" ? "Without a name" : registryOf(image.name), image);
  return groups;
}

function registryOf(name: string): string {
  return name.split("/", 1)[0] ?? "";
}

function platformsOf({ artifact, platforms }: TransferImage): Part {
  if (artifact !== undefined) return foreign(artifact);
  const labels = platforms.flatMap(({ platform }) => platform ?? []);
  return labels.length === 0 ? html`<span class="soft">not known</span>` : foreign(labels.join(", "));
}

function signatures({ signatures, verified = 0 }: TransferReferrers): Html {
  if (verified > 0) return state("verified", `${many(verified, "signature")} verified`);
  return signatureState(signatures === 0 ? "none" : signatures);
}

/** Each label once, as images of an index usually have the same. */
function licensesOf({ platforms }: TransferImage): Part {
  const labels = [...new Set(platforms.flatMap(({ licenses }) => licenses ?? []))];
  return labels.length === 0 ? html`<span class="soft">no label</span>` : foreign(labels.join(", "), MAX_LICENSE);
}

const MAX_LICENSE = 200;
