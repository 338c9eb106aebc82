import { quote } from "../../util/format.ts";
import { Refusal } from "../refusal.ts";
import { reportCsvFile, reportJsonFile, reportPage } from "./report/report-pages.ts";
import { comparePage } from "./views/compare/compare-page.ts";
import { damagePage } from "./views/damage/damage-page.ts";
import { imagePage } from "./views/image/image-page.ts";
import { imageListPage, indexPage } from "./views/index-page.ts";
import { layerPage } from "./views/layer/layer-page.ts";
import type { PageHandler } from "./views/page-result.ts";

/** The path of a page, taken apart. */
export interface PagePath {
  /** First part of the path; "" for `/`. */
  readonly name: string;
  /** What follows it, decoded; foreign text. */
  readonly rest: string;
  readonly query: URLSearchParams;
}

const MAX_URL_BYTES = 4096;

/** By the first part of the path; whether something may follow it. */
const ROUTES: ReadonlyMap<string, { readonly handler: PageHandler; readonly hasRest: boolean }> = new Map([
  ["", { handler: indexPage, hasRest: false }],
  ["index.json", { handler: imageListPage, hasRest: false }],
  ["image", { handler: imagePage, hasRest: true }],
  ["layer", { handler: layerPage, hasRest: true }],
  ["compare", { handler: comparePage, hasRest: false }],
  ["damage", { handler: damagePage, hasRest: false }],
  ["report", { handler: reportPage, hasRest: false }],
  ["report.csv", { handler: reportCsvFile, hasRest: false }],
  ["report.json", { handler: reportJsonFile, hasRest: false }],
]);

/** @throws Refusal 414 for a long URL, 400 for one that cannot be decoded, 404 for one that is no page */
export function pagePath(url: string): PagePath {
  if (url.length > MAX_URL_BYTES) {
    throw new Refusal(414, "UNSUPPORTED", `URL of ${url.length} bytes, expected at most ${MAX_URL_BYTES}`);
  }
  const [, path = "", query = ""] = /^([^?#]*)(?:\?([^#]*))?/.exec(url) ?? [];
  const text = decoded(path);
  const [, name = "", separator = "", rest = ""] = /^\/([^/]*)(\/?)(.*)$/s.exec(text) ?? [];
  const route = ROUTES.get(name);
  const isPage = name === "favicon.ico" || (route !== undefined && (route.hasRest ? rest !== "" : separator === ""));
  if (!text.startsWith("/") || !isPage) throw new Refusal(404, "UNSUPPORTED", `there is no page ${quote(text)}`);
  return { name, rest, query: new URLSearchParams(query) };
}

export function pageHandler(name: string): PageHandler {
  const route = ROUTES.get(name);
  if (route === undefined) throw new Refusal(404, "UNSUPPORTED", `there is no page ${quote(name)}`);
  return route.handler;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Refusal(400, "NAME_INVALID", `path ${quote(path)}, expected percent escapes of UTF-8`);
  }
}
