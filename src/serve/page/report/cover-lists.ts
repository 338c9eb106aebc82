import { type Html, html, type Part } from "../html/html.ts";
import { section } from "../parts/blocks.ts";
import { foreign } from "../parts/foreign.ts";
import { bytes, numeral } from "../parts/quantity.ts";
import { cell, row, rowHead, table } from "../parts/table.ts";
import { subjectOf } from "./report-text.ts";
import type { LeftOut, TransferFile, TransferReport } from "./transfer-report.ts";

/** Room of a list on the cover, in rows of one line: a cover of two pages, or a place to sign at page 40, is not signed. */
const COVER_ROWS = 6;
/** What a further line of a row takes. */
const FURTHER_LINE = 0.7;

/** The files on the cover, or the first of many. */
export function filesSection(report: TransferReport): Part {
  const { files, volumes } = report;
  if (files.length === 0) return undefined;
  const shown = coverOf(files, fileLines);
  const checked = files.some(({ sha256 }) => sha256 !== undefined);
  const note = checked ? html`check with <span class="mono">sha256sum</span>` : undefined;
  const title = volumes === undefined ? "Files" : "Volumes";
  return section("v", title, note, filesTable(shown, report, "v"), more(files.length - shown.length, files));
}

/** What is left out, on the cover, or the first of many. */
export function leftSection({ left, files }: TransferReport): Html {
  if (left.length === 0)
    return section("l", "Left out, and why", undefined, html`<p>Nothing: it brings all that it names.</p>`);
  const shown = coverOf(left, leftLines);
  const list = leftTable(shown, "l");
  return section(
    "l",
    "Left out, and why",
    `named, and not in this ${subjectOf(files)}`,
    list,
    more(left.length - shown.length),
  );
}

/** Lists that the cover has only the first rows of. */
export function listAnnex(report: TransferReport): Html {
  const { files, left, volumes } = report;
  const title = `Annex: ${volumes === undefined ? "files" : "volumes"}`;
  const total = `${bytes(bytesOf(files))} in all`;
  return html`${
    coverOf(files, fileLines).length < files.length &&
    html`<div class="annex">${section("va", title, total, filesTable(files, report, "va"))}</div>`
  }${
    coverOf(left, leftLines).length < left.length &&
    html`<div class="annex">${section("la", "Annex: left out, and why", undefined, leftTable(left, "la"))}</div>`
  }`;
}

/** All, or the first ones and room for a line about the rest. */
function coverOf<T>(all: readonly T[], linesOf: (row: T) => number): readonly T[] {
  let room = COVER_ROWS;
  const end = all.findIndex((row, index) => {
    room -= 1 + FURTHER_LINE * (linesOf(row) - 1);
    return room < (index === all.length - 1 ? 0 : 1);
  });
  return end === -1 ? all : all.slice(0, end);
}

// Characters of a line on A4, for fonts that are wide.

function fileLines({ name, sha256 }: TransferFile): number {
  return Math.max(Math.ceil(name.length / 20), sha256 !== undefined && name.length > 12 ? 2 : 1);
}

function leftLines({ what, why }: LeftOut): number {
  return Math.max(Math.ceil(what.length / 58), Math.ceil(why.length / 28));
}

function more(count: number, files: readonly TransferFile[] = []): Part {
  if (count === 0) return undefined;
  const total = files.length > 0 && `, ${bytes(bytesOf(files))} in all`;
  return html`<p class="small soft">and ${numeral(count)} more${total}: see the annex</p>`;
}

function bytesOf(files: readonly TransferFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function filesTable(files: readonly TransferFile[], { volumes }: TransferReport, labelledBy: string): Html {
  const rows = files.map(({ name, size, sha256, volume = "–" }) =>
    row([
      ...(volumes === undefined ? [] : [cell(`${volume} / ${volumes.of}`)]),
      rowHead(html`<code>${foreign(name)}</code>`),
      cell(numeral(size), "num", "bytes"),
      cell(bytes(size), "num"),
      cell(sha256 === undefined ? SUM_UNKNOWN : html`<code class="digest full">${sha256}</code>`, "row"),
    ]),
  );
  const columns = [
    ...(volumes === undefined ? [] : [{ text: "No.", style: "r-no" }]),
    { text: "File" },
    { text: "Bytes", style: "num" },
    { text: "Size", style: "num" },
    { text: "sha256" },
  ];
  return table(columns, rows, { labelledBy });
}

const SUM_UNKNOWN: Html = html`<span class="soft">not computed</span>`;

function leftTable(left: readonly LeftOut[], labelledBy: string): Html {
  const rows = left.map(({ what, why, bytes: size }) =>
    row([rowHead(html`${foreign(what)}${size !== undefined && ` (${bytes(size)})`}`), cell(foreign(why))]),
  );
  return table([{ text: "What" }, { text: "Why" }], rows, { labelledBy });
}
