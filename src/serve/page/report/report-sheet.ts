import { type Html, html, type Part } from "../html/html.ts";
import { type Fact, facts, section } from "../parts/blocks.ts";
import { bareDigest, spokenId } from "../parts/digest-code.ts";
import { bytes, many, numeral } from "../parts/quantity.ts";
import { state } from "../parts/state.ts";
import { filesSection, leftSection, listAnnex } from "./cover-lists.ts";
import { imageAnnex } from "./image-annex.ts";
import { basesText, baseText, MAX_BASES, subjectOf, summary } from "./report-text.ts";
import type { TransferReport, TransferSignature } from "./transfer-report.ts";

/** The report: a cover to sign, which is one page, and annexes. */
export function reportSheet(report: TransferReport): Html {
  return html`<div class="sheet">
${mast(report)}
<p class="measure">${summary(report)}</p>
${facts(cover(report))}${filesSection(report)}${leftSection(report)}${checksSection(report)}${PLACES_TO_SIGN}${listAnnex(report)}${imageAnnex(report)}</div>`;
}

function mast({ id, bases, date, signature }: TransferReport): Html {
  const ids: Part[] = [];
  if (id !== undefined) ids.push(html`<dt>Bundle</dt><dd>${spokenId(id)}</dd>`);
  for (const base of bases.slice(0, MAX_BASES)) ids.push(html`<dt>Base</dt><dd class="base">${baseText(base)}</dd>`);
  if (signature !== undefined) ids.push(html`<dt>Signature</dt><dd>${signatureOf(signature)}</dd>`);
  if (date !== undefined) ids.push(html`<dt>Date</dt><dd>${date}</dd>`);
  return html`<header class="mast"><div><p>imgpack</p><h1>Transfer report</h1><p>Container images carried across the gap</p></div>
${ids.length > 0 && html`<dl class="ids">${ids}</dl>`}</header>`;
}

function signatureOf({ state: found, key }: TransferSignature): Html {
  if (found === "unsigned") return state("none", "not signed");
  if (found === "refused") return state("bad", "not by a key that was given");
  return state("verified", html`by key ${key && bareDigest(key)}`);
}

function cover({ compared, counts, bytes: { carried, all }, images, files }: TransferReport): readonly Fact[] {
  const amounts = [
    { name: `in this ${subjectOf(files)}`, value: bytes(carried) },
    { name: "in all", value: bytes(all) },
  ];
  if (compared) {
    const { new: fresh = 0, changed = 0, unchanged = 0, gone = 0 } = counts;
    return [
      { name: fresh === 1 ? "image new" : "images new", value: numeral(fresh) },
      { name: "changed", value: numeral(changed) },
      { name: "unchanged", value: numeral(unchanged) },
      { name: "gone from the list", value: numeral(gone) },
      ...amounts,
    ];
  }
  const signed = images.filter(({ referrers: { signatures } }) => signatures !== "unknown" && signatures > 0);
  const unknown = images.filter(({ referrers: { signatures } }) => signatures === "unknown");
  return [
    { name: counts.images === 1 ? "image" : "images", value: numeral(counts.images) },
    { name: "signed", value: numeral(signed.length) },
    { name: "not signed", value: numeral(images.length - signed.length - unknown.length) },
    { name: "signatures unknown", value: numeral(unknown.length) },
    ...amounts,
  ];
}

function checksSection({ id, files, volumes, bases, counts }: TransferReport): Html {
  const verified = html`<span class="mono">imgpack verify</span>`;
  const count = volumes === undefined ? files.length : volumes.of;
  const several = many(count, volumes === undefined ? "file" : "volume");
  const all =
    count === 1
      ? html`The file is present, and ${verified} found it whole`
      : html`All ${several} are present, and ${verified} found them whole`;
  const ofFiles = [
    id === undefined
      ? html`The sha256 of each file was compared with this sheet`
      : html`The bundle id was read aloud and compared: ${spokenId(id)}`,
    all,
  ];
  const checks: readonly Html[] = [
    // A store has no files that travel.
    ...(files.length === 0 ? [] : ofFiles),
    bases.length === 0
      ? html`The list of ${many(counts.images, "image")} was read and approved`
      : html`The far side has ${basesText(bases)}`,
  ];
  const list = checks.map(text => html`<li><span class="box"></span>${text}</li>`);
  return section("s", "Checks and signatures", undefined, html`<ul class="checks">${list}</ul>`);
}

const PLACES_TO_SIGN: Html = html`<section class="signs" aria-label="Places to sign">${[
  "Prepared by",
  "Released by (transfer desk)",
  "Received by",
].map(who => html`<div><h3>${who}</h3><p></p><p>Name</p><p>Date and time</p><p>Signature</p></div>`)}</section>\n`;
