import {
  type ComparedBundles,
  type ComparedImage,
  compareBundles,
  type ImageState,
} from "../../../../bundle/base/compare-bundles.ts";
import type { Digest } from "../../../../oci/digest.ts";
import { tagNameOf } from "../../../../oci/names/pinned-names.ts";
import type { ServedPart } from "../../../content/served-registry.ts";
import { type Html, html, type Part } from "../../html/html.ts";
import type { Catalogue } from "../../model/catalogue.ts";
import { section } from "../../parts/blocks.ts";
import { bareDigest } from "../../parts/digest-code.ts";
import { breakable } from "../../parts/foreign.ts";
import { href, imageHref } from "../../parts/links.ts";
import { type PageOf, pageCount, pageNumber, pageOf, pager, rangeOf } from "../../parts/pager.ts";
import { bytes, many, numeral } from "../../parts/quantity.ts";
import { type StateKind, state } from "../../parts/state.ts";
import { cell, groupHead, row, rowHead, tableOfGroups } from "../../parts/table.ts";
import { bundleFiles, bundleKey, bundleName } from "../bundle-words.ts";
import type { PageRequest, PageResult } from "../page-result.ts";
import { pastTheEnd } from "../past-the-end.ts";
import { compareForm, inOneLine, nothing, sideMark, suggestions } from "./compare-parts.ts";

/** Images on a page. */
const PAGE_SIZE = 100;
const COLUMNS = [
  { text: "Image" },
  { text: "Change" },
  { text: "Digest in A" },
  { text: "Digest in B" },
  { text: "New bytes", style: "num" },
];

/** What differs first. */
const ORDER: readonly ImageState[] = ["new", "changed", "gone", "unchanged"];
const KINDS: Readonly<Record<ImageState, StateKind>> = {
  new: "new",
  changed: "changed",
  unchanged: "same",
  gone: "gone",
};
const GROUPS: Readonly<Record<ImageState, string>> = {
  new: "New in B",
  changed: "Changed",
  gone: "No longer in B",
  unchanged: "Unchanged",
};

/** Two bundles that are served together, A before B. */
export async function compareTwoBundles(
  request: PageRequest,
  catalogue: Catalogue,
  a: ServedPart,
  b: ServedPart,
): Promise<PageResult> {
  const compared = await comparison(catalogue, a, b);
  const rows = ORDER.flatMap(wanted => compared.images.filter(image => image.state === wanted));
  const hrefOf = (page: number): string =>
    href("/compare", { a: bundleKey(a), b: bundleKey(b), page: page === 1 ? undefined : page });
  const page = pageOf(rows, pageNumber(request.query.get("page")), PAGE_SIZE);
  if (page === undefined) {
    const pages = pageCount(rows.length, PAGE_SIZE);
    return pastTheEnd("images", pages, hrefOf(pages), "compare");
  }
  const { bytes } = compared;
  const counts = countsOf(rows);
  const line = { onlyA: bytes.gone, both: bytes.shared, onlyB: bytes.new };
  return {
    page: () => ({
      title: `Compare bundles ${bundleKey(a)} and ${bundleKey(b)}`,
      place: "compare",
      main: html`<div><p class="crumbs">Compare two bundles</p><h1>${bundleName(a)} <span class="soft">and</span> ${bundleName(b)}</h1><p class="lede">${a === b ? "A and B are the same bundle." : sentence(bytes.new, counts)}</p><p class="soft">${sideMark("A")} ${bundleFiles(a)} &middot; ${sideMark("B")} ${bundleFiles(b)}${b.isDelta && ", with what it leaves to its base"}</p></div>
${compareForm({ a: bundleKey(a), b: bundleKey(b), platform: "" }, suggestions(catalogue))}${inOneLine(line)}${imagesSection(page, counts, catalogue, hrefOf)}
${counts.gone > 0 && html`<p class="note">No longer in B means: no longer on the list. Nothing is deleted on the far side.</p>`}`,
    }),
    data: () => ({
      a: { id: a.id ?? null, files: a.files },
      b: { id: b.id ?? null, files: b.files },
      bytes: line,
      counts,
      page: page.page,
      pages: page.pages,
      images: page.entries,
    }),
  };
}

/** The last one of a catalogue is kept, for its other pages. */
const KEPT = new WeakMap<Catalogue, { readonly key: string; readonly compared: Promise<ComparedBundles> }>();

async function comparison(catalogue: Catalogue, a: ServedPart, b: ServedPart): Promise<ComparedBundles> {
  const key = `${catalogue.parts.indexOf(a)} ${catalogue.parts.indexOf(b)}`;
  const kept = KEPT.get(catalogue);
  if (kept?.key === key) return await kept.compared;
  const compared = readBoth(a, b);
  KEPT.set(catalogue, { key, compared });
  try {
    return await compared;
  } catch (error) {
    // The next request may find a file that can be read.
    if (KEPT.get(catalogue)?.compared === compared) KEPT.delete(catalogue);
    throw error;
  }
}

async function readBoth(a: ServedPart, b: ServedPart): Promise<ComparedBundles> {
  const base = await a.contents();
  return compareBundles(await b.contents(), [base]);
}

type Counts = Readonly<Record<ImageState, number>>;

function countsOf(rows: readonly ComparedImage[]): Counts {
  const count = (wanted: ImageState): number => rows.filter(({ state }) => state === wanted).length;
  return { new: count("new"), changed: count("changed"), unchanged: count("unchanged"), gone: count("gone") };
}

function sentence(size: number, counts: Counts): Html {
  const { new: fresh, changed, unchanged, gone } = counts;
  const need =
    size === 0
      ? html`A has all bytes of B.`
      : html`A place that has A needs <strong>${bytes(size)}</strong> more to get B.`;
  const are = (count: number): string => (count === 1 ? "is" : "are");
  const news = `${many(fresh, "image")} ${are(fresh)} new, ${numeral(changed)} changed, ${numeral(unchanged)} unchanged`;
  return html`${need} ${news}${gone > 0 && `, ${numeral(gone)} ${are(gone)} no longer in B`}.`;
}

function imagesSection(
  page: PageOf<ComparedImage>,
  counts: Counts,
  catalogue: Catalogue,
  hrefOf: (page: number) => string,
): Html {
  const groups = ORDER.flatMap(wanted => {
    const rows = page.entries.filter(image => image.state === wanted);
    if (rows.length === 0) return [];
    const head = html`${GROUPS[wanted]} <span class="soft">&middot; ${many(counts[wanted], "image")}</span>`;
    return [[groupHead(head, COLUMNS.length), ...rows.map(each => imageRow(each, catalogue))]];
  });
  const links = (place: string): Html | undefined => pager("Images", page, place, hrefOf);
  const content =
    page.total === 0
      ? html`<p>Neither of them has an image.</p>`
      : html`${links("top")}<div class="panel">${tableOfGroups(COLUMNS, groups, { labelledBy: "images" })}</div>${links("bottom")}`;
  return section("images", "Images", page.pages > 1 ? rangeOf(page) : "what differs first", content);
}

function imageRow({ name, state: change, digest, was, bytes: size }: ComparedImage, catalogue: Catalogue): Html {
  const before = was[0]?.digest;
  return row([
    rowHead(linkedName(name, digest ?? before, catalogue), "row"),
    cell(state(KINDS[change], change === "gone" ? "gone" : change)),
    cell(digestOrNothing(before), "row", "A"),
    cell(digestOrNothing(digest), "row", "B"),
    cell(size === 0 ? "0" : bytes(size), "num", "new bytes"),
  ]);
}

function digestOrNothing(digest: Digest | undefined): Part {
  return digest === undefined ? nothing() : bareDigest(digest);
}

/** To its page, if that name means the same here: an older image of a base has no name any more. */
function linkedName(name: string, digest: Digest | undefined, catalogue: Catalogue): Html {
  const text = imageName(name);
  const image = catalogue.find(name);
  return image === undefined || image.digest !== digest ? text : html`<a href="${imageHref(image.name)}">${text}</a>`;
}

function imageName(name: string): Html {
  if (name === "") return html`<span class="soft">an image without a name</span>`;
  const short = tagNameOf(name) ?? name;
  const at = short.search(/[:@](?=[^/]*$)/);
  const end = at === -1 ? short.length : at;
  return html`${breakable(short.slice(0, end))}<span class="tag">${breakable(short.slice(end))}</span>`;
}
