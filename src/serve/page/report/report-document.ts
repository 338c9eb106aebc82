import { type Html, html } from "../html/html.ts";
import { styleElement } from "../parts/style-element.ts";
import { STYLESHEET, styleSource } from "../style/stylesheet.ts";
import { reportSheet } from "./report-sheet.ts";
import { sheetFoot, sheetName } from "./report-text.ts";
import type { TransferReport } from "./transfer-report.ts";

/** The report as one file: nothing in it is loaded, and no script runs. */
export function reportDocument(report: TransferReport): Html {
  const foot = sheetFoot(report);
  const sources = [STYLESHEET, foot].map(styleSource).join(" ");
  const policy = `default-src 'none'; style-src ${sources}; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${sheetName(report)}</title>
${styleElement(STYLESHEET)}
${styleElement(foot)}
</head>
<body>
<main class="wrap">
${reportSheet(report)}
</main>
</body>
</html>
`;
}
