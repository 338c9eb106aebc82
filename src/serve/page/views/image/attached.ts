import { type Html, html } from "../../html/html.ts";
import type { Attached, ListedImage } from "../../model/catalogue.ts";
import { section } from "../../parts/blocks.ts";
import { digestCode } from "../../parts/digest-code.ts";
import { breakable, foreign } from "../../parts/foreign.ts";
import { bytes, numeral } from "../../parts/quantity.ts";
import { signatureState } from "../../parts/state.ts";
import { cell, row, rowHead, table } from "../../parts/table.ts";

const MAX_ROWS = 200;
const MAX_TYPE = 128;

const NAMES: Readonly<Record<Attached["kind"], string>> = {
  signature: "Signature",
  sbom: "SBOM",
  attestation: "Attestation",
  other: "Other referrer",
};

/** Signatures, SBOMs and what else refers to the image. */
export function attachedSection(image: ListedImage): Html {
  const { attached } = image;
  if (attached.length === 0) return section("attached", "Attached", undefined, nothingAttached(image));
  const rows = attached.slice(0, MAX_ROWS).map(each => attachedRow(each, image.isArtifact));
  const columns = [{ text: "What" }, { text: "Size", style: "num" }, { text: "Digest" }];
  const more =
    attached.length > MAX_ROWS &&
    html`<p class="note small">The first ${numeral(MAX_ROWS)} of ${numeral(attached.length)} are shown.</p>`;
  const note = html`<p class="note small">Signatures are carried and counted, not checked.</p>`;
  return section(
    "attached",
    "Attached",
    "signatures, SBOMs and other referrers, carried along",
    html`<div class="panel">${table(columns, rows, { labelledBy: "attached" })}</div>`,
    more,
    typeof image.signatures === "number" && note,
  );
}

function attachedRow({ kind, type, digest, bytes: size, platform, tag }: Attached, isArtifact: boolean): Html {
  const subject =
    platform === undefined || platform === ""
      ? `the whole ${isArtifact ? "artifact" : "image"}`
      : foreign(platform, MAX_TYPE);
  const shown = type.slice(0, MAX_TYPE).split(/(?<=[./+])/);
  const where = tag !== undefined && html`<br>tag ${breakable(tag)}`;
  const what = html`${NAMES[kind]} <span class="soft">for ${subject}</span><br><span class="small soft mono">${shown.map((part, index) => html`${index > 0 && html`<wbr>`}${foreign(part)}`)}${where}</span>`;
  return row([rowHead(what, "row"), cell(bytes(size), "num"), cell(digestCode(digest), "row")]);
}

function nothingAttached({ signatures, locked }: ListedImage): Html {
  const why = {
    none: "When this bundle was made, the source registry was asked. It had no signatures, SBOMs or other referrers.",
    absent: "Nothing here refers to this image. No one has asked its source for signatures.",
    unknown:
      locked?.lookup === "refused"
        ? "When this bundle was made, the source registry refused the question for signatures. There may be some; none were carried."
        : "When this bundle was made, the source registry could not list what refers to an image. There may be signatures; none were carried.",
  };
  const key = typeof signatures === "number" ? "absent" : signatures;
  return html`<div class="panel pad"><p>${signatureState(signatures)}</p><p class="soft small">${why[key]}</p></div>`;
}
