import type { Digest } from "../../../oci/digest.ts";
import { shortId } from "../../../util/format.ts";
import { VERSION } from "../../../util/version.ts";
import { type Html, html, type Part } from "../html/html.ts";
import { BAR_PATTERNS } from "../parts/bar.ts";
import { numeral } from "../parts/quantity.ts";
import { styleElement } from "../parts/style-element.ts";
import { STYLESHEET } from "../style/stylesheet.ts";

/** What all pages of a server have around their content. */
export interface Frame {
  /** `host:port` as this client may use it. */
  readonly host: string;
  readonly isReadOnly: boolean;
  readonly bundleId: Digest | undefined;
  /** Images that cannot be pulled whole. */
  readonly brokenImages: number;
}

export type NavPlace = "images" | "compare" | "damage" | "report";

/** A page without its frame. */
export interface PageContent {
  /** Plain text, of at most one line. */
  readonly title: string;
  /** What of the navigation it belongs to. */
  readonly place?: NavPlace | undefined;
  readonly main: Part;
  /** A second stylesheet, of this page alone; our own text. */
  readonly ownStyle?: string;
}

const MARK = html`<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d="M1 3h18v4H1zM1 8.5h12v3H1zM1 13h15v4H1z"/></svg>`;
const STYLE = styleElement(STYLESHEET);

/** The whole document. */
export function framed({ title, place, main, ownStyle }: PageContent, frame: Frame): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} &middot; imgpack</title>
${STYLE}${ownStyle !== undefined && styleElement(ownStyle)}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
${BAR_PATTERNS}
${header(frame, place)}
<main id="main" class="wrap" tabindex="-1">
${main}
</main>
${footer(frame)}
</body>
</html>
`;
}

function header({ host, isReadOnly, brokenImages }: Frame, place: NavPlace | undefined): Html {
  const link = (to: NavPlace, path: string, text: Part): Html =>
    html`<li><a href="${path}"${to === place && html` aria-current="page"`}>${text}</a></li>`;
  const count =
    brokenImages > 0 && html` <span class="count">${numeral(brokenImages)}</span><span class="hide"> images</span>`;
  const links = [
    link("images", "/", "Images"),
    link("compare", "/compare", "Compare"),
    link("damage", "/damage", html`Damage${count}`),
    link("report", "/report", "Report"),
  ];
  return html`<header class="top"><div class="wrap">
<a class="brand" href="/">${MARK}imgpack</a>
<nav aria-label="Main"><ul>${links}</ul></nav>
<p class="where">${host} &middot; ${isReadOnly ? "read-only" : "read and write"}</p>
</div></header>`;
}

function footer({ bundleId }: Frame): Html {
  const bundle = bundleId !== undefined && html`<span>bundle ${shortId(bundleId)}</span>`;
  return html`<footer class="foot"><div class="wrap"><span>imgpack ${VERSION}</span>${bundle}<span>For programs: <a href="/index.json">/index.json</a>, /v2/</span></div></footer>`;
}
