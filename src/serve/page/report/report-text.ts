import type { Digest } from "../../../oci/digest.ts";
import { shortId } from "../../../util/format.ts";
import { type Html, html, type Part } from "../html/html.ts";
import { spokenId } from "../parts/digest-code.ts";
import { foreign } from "../parts/foreign.ts";
import { bytes, many } from "../parts/quantity.ts";
import type { TransferBase, TransferReport } from "./transfer-report.ts";

/** What the desk has to know, in two or three sentences. */
export function summary(report: TransferReport): Html {
  const subject = subjectOf(report.files);
  return html`This ${subject} ${subject === "store" ? "has" : "brings"} ${imagesOf(report)}${farSide(report)}. ${amount(report)}${condition(report)}`;
}

/** What the report is about: a store has no files that travel. */
export function subjectOf(files: TransferReport["files"]): "store" | "bundle" {
  return files.length === 0 ? "store" : "bundle";
}

function imagesOf({ compared, counts }: TransferReport): string {
  if (!compared) return many(counts.images, "image");
  const { new: fresh = 0, changed = 0 } = counts;
  if (fresh === 0 && changed === 0) return "no new and no changed image";
  if (changed === 0) return many(fresh, "new image");
  if (fresh === 0) return many(changed, "changed image");
  return `${fresh} new and ${many(changed, "changed image")}`;
}

function farSide({ bases }: TransferReport): Part {
  return bases.length > 0 && html` to a place that already has ${basesText(bases)}`;
}

/** `base 51eb 7e36 383f`, or what it was called. */
export function basesText(bases: readonly TransferBase[]): Html {
  const shown = bases.slice(0, MAX_BASES);
  const more = bases.length > MAX_BASES && ` and ${bases.length - MAX_BASES} more`;
  return html`${shown.map((base, index) => html`${separator(index, bases.length)}${baseText(base)}`)}${more}`;
}

/** That a page names. */
export const MAX_BASES = 3;

const MAX_SOURCE = 100;

function separator(index: number, count: number): string {
  if (index === 0) return count === 1 ? "base " : "bases ";
  return index === count - 1 ? " and " : ", ";
}

export function baseText({ id, source = "" }: TransferBase): Html {
  return id === undefined ? html`<span class="name">${foreign(source, MAX_SOURCE)}</span>` : spokenId(id);
}

function amount({ bytes: { carried, all, new: fresh } }: TransferReport): string {
  if (carried < all) return `It carries ${bytes(carried)} of ${bytes(all)}.`;
  const of = fresh === undefined || fresh === all ? "" : `, of which ${bytes(fresh)} are new there`;
  return `It carries all ${bytes(all)}${of}.`;
}

function condition({ left, volumes, bases }: TransferReport): Part {
  const missing = volumes?.missing ?? [];
  const isBroken = left.some(({ kind }) => kind === "damage");
  return html`${missing.length > 0 && html` <strong>It is not complete: ${missingText(missing, volumes?.of ?? 0)}.</strong>`}${
    isBroken && html` <strong>It is damaged: not all of it can be used.</strong>`
  }${left.some(({ kind }) => kind === "base") && html` It is usable only with ${bases.length > 1 ? "these bases" : "that base"}.`}`;
}

export function missingText(missing: readonly number[], of: number): string {
  const numbers = missing.join(", ");
  return missing.length === 1 ? `volume ${numbers} of ${of} is missing` : `volumes ${numbers} of ${of} are missing`;
}

/** What is printed on every sheet, and is the title: the id, in fours. Ours alone, because it becomes a stylesheet. */
export function sheetName({ id, files }: TransferReport): string {
  const [file, ...others] = files;
  if (id !== undefined) return `Transfer report · bundle ${inFours(id)}`;
  if (file?.sha256 === undefined || others.length > 0) return "Transfer report";
  return `Transfer report · sha256 ${inFours(`sha256:${file.sha256}`)}`;
}

/** The stylesheet that prints on every sheet what it belongs to; the only one that changes with the report. */
export function sheetFoot(report: TransferReport): string {
  return `@page{@bottom-left{content:"${sheetName(report)}";font:8pt sans-serif}}`;
}

function inFours(digest: Digest): string {
  return (shortId(digest).match(/.{4}/g) ?? []).join(" ");
}
