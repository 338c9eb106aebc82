import { counted, escapeForeign, formatBytes } from "../../../util/format.ts";
import { isFailure, type ReportedFailure, type ReportedImage, type RescueReport } from "./rescue-report.ts";

const STYLE = `body{font:1rem/1.5 system-ui,sans-serif;margin:2rem;color:#111;background:#fff}
table{border-collapse:collapse;margin:1rem 0 2rem}caption{text-align:left;font-weight:bold;padding:.5rem 0}
th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#eee}td.number{text-align:right;white-space:nowrap}code{font-size:.85em}`;

/**
 * A report as one HTML file: nothing in it is loaded, and no script runs. Failures come first, with what to do; the words
 * alone say what became of an image, not a colour.
 */
export function htmlReport(report: RescueReport): string {
  const failures = report.images.filter(isFailure);
  const images = report.images.filter((image): image is ReportedImage => !isFailure(image));
  const title = report.dryRun ? "imgpack: what would be copied" : "imgpack: what was copied";
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
${STYLE}
</style>
</head>
<body>
<main>
<h1>${title}</h1>
<ul>
${summary(report)
  .map(line => `<li>${escapeHtml(line)}</li>\n`)
  .join("")}</ul>
${failureTable(failures)}${imageTable(images, report.dryRun)}</main>
</body>
</html>
`;
}

function summary(report: RescueReport): readonly string[] {
  const { tags, copied, failed, repositories, repositoriesWithoutTags: empty, layers, layerBytes } = report;
  const unknown = report.layersOfUnknownSize;
  return [
    ...(report.complete ? [] : ["The run did not reach its end. Run the same command again: it copies the rest."]),
    report.dryRun ? `${counted(tags, "tag")}, ${failed} failed` : `${copied} copied, ${failed} failed`,
    `${counted(repositories, "repository", "repositories")}, ${empty} without tags`,
    `${counted(layers, "distinct layer")}, ${formatBytes(layerBytes)} as stored at the source`,
    ...(unknown === 0 ? [] : [`${counted(unknown, "layer")} of unknown size`]),
    ...(report.verified ? ["Each config was read back from the target, and each layer was looked up there."] : []),
  ];
}

function failureTable(failures: readonly ReportedFailure[]): string {
  return table(
    `Failed: ${failures.length}`,
    ["Image", "Error", "What was found", "What to do"],
    failures.map(({ source, error }) => [
      rowHeader(source),
      cell(error.code),
      cell(error.message),
      cell(error.hint ?? ""),
    ]),
  );
}

function imageTable(images: readonly ReportedImage[], dryRun: boolean): string {
  return table(
    `${dryRun ? "To copy" : "Copied"}: ${images.length}`,
    ["Image", "v1 ID", "Target", "Manifest", "Config (image ID)", "Bytes"],
    images.map(({ source, id, target, digest = "", config = "", bytes }) => [
      rowHeader(source),
      code(id),
      cell(target),
      code(digest),
      code(config),
      `<td class="number">${bytes}</td>`,
    ]),
  );
}

function table(caption: string, columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const head = columns.map(name => `<th scope="col">${name}</th>`).join("");
  const body = rows.map(cells => `<tr>${cells.join("")}</tr>\n`).join("");
  return `<table>\n<caption>${caption}</caption>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}</tbody>\n</table>\n`;
}

function rowHeader(text: string): string {
  return `<th scope="row">${escapeHtml(text)}</th>`;
}

function cell(text: string): string {
  return `<td>${escapeHtml(text)}</td>`;
}

function code(text: string): string {
  return text === "" ? "<td>not known yet</td>" : `<td><code>${escapeHtml(text)}</code></td>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return escapeForeign(text, Number.POSITIVE_INFINITY).replace(/[&<>"']/g, found => ENTITIES[found] ?? "");
}
