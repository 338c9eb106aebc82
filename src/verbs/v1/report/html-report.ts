import { type Html, html, type Part } from "../../../serve/page/html/html.ts";
import { section } from "../../../serve/page/parts/blocks.ts";
import { breakable, foreign } from "../../../serve/page/parts/foreign.ts";
import { bytes, many, numeral } from "../../../serve/page/parts/quantity.ts";
import { type Column, cell, row, rowHead, table } from "../../../serve/page/parts/table.ts";
import { standalonePage } from "../../../serve/page/report/standalone-page.ts";
import { isFailure, type ReportedFailure, type ReportedImage, type RescueReport } from "./rescue-report.ts";

/** A report as one file. Failures come first, with what to do; words alone say what became of an image, not a colour. */
export function htmlReport(report: RescueReport): string {
  const failures = report.images.filter(isFailure);
  const images = report.images.filter((image): image is ReportedImage => !isFailure(image));
  const title = report.dryRun ? "What would be copied" : "What was copied";
  const main = html`<div class="sheet">
<header class="mast"><div><p>imgpack</p><h1>${title}</h1></div></header>
<ul>${summary(report).map(line => html`<li>${line}</li>`)}</ul>
${failureSection(failures)}${imageSection(images, report.dryRun)}</div>`;
  return standalonePage(`imgpack: ${title.toLowerCase()}`, main).toString();
}

function summary(report: RescueReport): readonly string[] {
  const { tags, copied, failed, repositories, repositoriesWithoutTags: empty, layers, layerBytes } = report;
  const unknown = report.layersOfUnknownSize;
  return [
    ...(report.complete ? [] : ["The run did not reach its end. Run the same command again: it copies the rest."]),
    report.dryRun ? `${many(tags, "tag")}, ${failed} failed` : `${copied} copied, ${failed} failed`,
    `${many(repositories, "repository", "repositories")}, ${empty} without tags`,
    `${many(layers, "distinct layer")}, ${bytes(layerBytes)} as stored at the source`,
    ...(unknown === 0 ? [] : [`${many(unknown, "layer")} of unknown size`]),
    ...(report.verified ? ["Each config was read back from the target, and each layer was looked up there."] : []),
  ];
}

const FAILURE_COLUMNS: readonly Column[] = [
  { text: "Image" },
  { text: "Error" },
  { text: "What was found" },
  { text: "What to do" },
];

function failureSection(failures: readonly ReportedFailure[]): Part {
  const rows = failures.map(({ source, error: { code, message, hint = "" } }) =>
    row([rowHead(breakable(source)), cell(code), cell(foreign(message)), cell(foreign(hint))]),
  );
  return listSection("failed", `Failed: ${numeral(failures.length)}`, FAILURE_COLUMNS, rows);
}

const IMAGE_COLUMNS: readonly Column[] = [
  { text: "Image" },
  { text: "v1 ID" },
  { text: "Target" },
  { text: "Manifest" },
  { text: "Config (image ID)" },
  { text: "Bytes", style: "num" },
];

function imageSection(images: readonly ReportedImage[], dryRun: boolean): Part {
  const rows = images.map(({ source, id, target, digest, config, bytes: size }) =>
    row([
      rowHead(breakable(source)),
      cell(code(id)),
      cell(breakable(target)),
      cell(code(digest)),
      cell(code(config)),
      cell(numeral(size), "num"),
    ]),
  );
  return listSection("images", `${dryRun ? "To copy" : "Copied"}: ${numeral(images.length)}`, IMAGE_COLUMNS, rows);
}

function listSection(id: string, title: string, columns: readonly Column[], rows: readonly Html[]): Part {
  return rows.length > 0 && section(id, title, undefined, table(columns, rows, { labelledBy: id }));
}

function code(text: string | undefined): Part {
  return text === undefined ? "not known yet" : html`<code class="digest full">${text}</code>`;
}
