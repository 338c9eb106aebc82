import { groupedBy } from "../../../util/append.ts";
import { type Html, html } from "../html/html.ts";
import type { Catalogue, ListedImage, Totals } from "../model/catalogue.ts";
import { chosenImages, type ImageChoice, readImageChoice } from "../model/chosen-images.ts";
import { bar, legend } from "../parts/bar.ts";
import { alert, type Fact, facts, section } from "../parts/blocks.ts";
import { findForm } from "../parts/find-form.ts";
import { foreign } from "../parts/foreign.ts";
import { href } from "../parts/links.ts";
import { type PageOf, pageCount, pageNumber, pageOf, pager } from "../parts/pager.ts";
import { bytes, many, numeral } from "../parts/quantity.ts";
import { emptyPage } from "./empty.ts";
import { faultSentences, faultTitle } from "./fault-words.ts";
import { catalogueData } from "./image-data.ts";
import { imageTable } from "./image-table.ts";
import type { PageRequest, PageResult } from "./page-result.ts";
import { pastTheEnd } from "./past-the-end.ts";
import { sourceHeading, sourceSentence, sourceTitle } from "./source-words.ts";

/** Images on a page. */
const PAGE_SIZE = 100;

/** GET /: what is here. */
export async function indexPage(request: PageRequest): Promise<PageResult> {
  const catalogue = await request.catalogue();
  const { query, host } = request;
  const choice = readImageChoice(query);
  const chosen = chosenImages(catalogue.images, choice);
  const page = pageOf(chosen, pageNumber(query.get("page")), PAGE_SIZE);
  const pages = pageCount(chosen.length, PAGE_SIZE);
  if (page === undefined) return pastTheEnd("images", pages, pageHref(choice, pages));
  const data = (): unknown => catalogueData(catalogue, page.entries, host);
  if (catalogue.images.length === 0) return { page: () => emptyPage(request, catalogue), data };
  return {
    page: () => ({
      title: `${page.page > 1 ? `Page ${numeral(page.page)} of ${numeral(page.pages)}: ` : ""}${sourceTitle(catalogue, request.store)}`,
      place: "images",
      main: indexMain(request, catalogue, choice, page, chosen),
    }),
    data,
  };
}

/** GET /index.json: the same for programs, all pages at once. */
export async function imageListPage({ catalogue, query, host }: PageRequest): Promise<PageResult> {
  const all = await catalogue();
  return { page: undefined, data: () => catalogueData(all, chosenImages(all.images, readImageChoice(query)), host) };
}

function pageHref(choice: ImageChoice, page: number): string {
  return href("/", { ...choice, page: page === 1 ? undefined : page });
}

function indexMain(
  request: PageRequest,
  catalogue: Catalogue,
  choice: ImageChoice,
  page: PageOf<ListedImage>,
  chosen: readonly ListedImage[],
): Html {
  const { registry, store } = request;
  const { totals } = catalogue;
  const isFiltered = choice.q !== "" || choice.show !== "";
  const isOverview = page.page === 1 && !isFiltered;
  const isHurt = totals.broken > 0 || registry.damage.length > 0;
  const { kind, name } = sourceHeading(catalogue, store);
  const whole = catalogue.images.length - totals.broken;
  const links = (place: string): Html | undefined => pager("Images", page, place, number => pageHref(choice, number));
  return html`${isHurt && alert(faultTitle(catalogue), faultSentences(catalogue, registry.damage), html`${whole > 0 && `The other ${many(whole, "image is", "images are")} whole and served as usual. `}<a href="/damage">See what is damaged and how to fix it</a>`)}
<div><p class="crumbs">${kind}</p><h1>${name}</h1>${isOverview && html`<p class="lede">${sourceSentence(catalogue)}</p>`}</div>
${isOverview && facts(overviewFacts(catalogue, isHurt))}
${isOverview && !isHurt && totals.aloneBytes > 0 && sharing(totals)}
<div>${imageForm(choice)}${imageLegend(totals.broken > 0)}</div>
${isFiltered && foundSentence(choice, page.total, catalogue.images.length)}
${links("top")}
${imageTables(page.entries, choice, chosen, request.host)}
${links("bottom")}`;
}

function overviewFacts(catalogue: Catalogue, isHurt: boolean): readonly Fact[] {
  const { images, totals, bundle } = catalogue;
  const { signed, unsigned, unknown, broken } = totals;
  const rest = [unsigned > 0 && `${numeral(unsigned)} not`, unknown > 0 && `${numeral(unknown)} unknown`].filter(
    Boolean,
  );
  const signatures = {
    name: ["signed", ...rest].join(" · "),
    value: numeral(signed),
    of: `of ${numeral(images.length)}`,
  };
  const volumes = bundle?.volumes;
  if (isHurt) {
    return [
      {
        name: "images whole",
        value: numeral(images.length - broken),
        of: `of ${numeral(images.length)}`,
        isBad: broken > 0,
      },
      ...(volumes === undefined
        ? []
        : [
            {
              name: "volumes present",
              value: numeral(volumes.of - volumes.missing.length),
              of: `of ${numeral(volumes.of)}`,
              isBad: volumes.missing.length > 0,
            },
          ]),
      { name: "when complete", value: bytes(completeBytes(catalogue)) },
      { name: "missing or damaged", value: bytes(totals.brokenBytes), isBad: true },
      signatures,
    ];
  }
  return [
    { name: images.length === 1 ? "image" : "images", value: numeral(images.length) },
    { name: `in ${bundle === undefined ? "this store" : "these files"}, each layer once`, value: bytes(totals.bytes) },
    { name: "if every image were stored alone", value: bytes(totals.aloneBytes) },
    { name: "saved by sharing", value: `${savedPercent(totals)} %` },
    signatures,
  ];
}

/** Of a bundle, its lock says it, whatever is missing. */
function completeBytes({ lock, totals }: Catalogue): number {
  return lock?.blobs.reduce((sum, { size }) => sum + size, 0) ?? totals.bytes;
}

function savedPercent({ bytes: size, aloneBytes }: Totals): number {
  return aloneBytes === 0 ? 0 : Math.round((1 - size / aloneBytes) * 100);
}

function sharing({ bytes: size, ownBytes, aloneBytes }: Totals): Html {
  const drawn = bar(
    18,
    [
      { fill: "own", share: ownBytes / aloneBytes },
      { fill: "shared", share: (size - ownBytes) / aloneBytes },
      { fill: "void", share: (aloneBytes - size) / aloneBytes },
    ],
    false,
  );
  const items = legend([
    { fill: "own", text: `${bytes(ownBytes)} used by one image` },
    { fill: "shared", text: `${bytes(size - ownBytes)} used by several, stored once` },
    { fill: "void", text: `${bytes(aloneBytes - size)} not needed, because it is shared` },
  ]);
  return section("sharing", "How much is shared", "drawn to scale, compressed bytes", drawn, items);
}

function imageForm(choice: ImageChoice): Html {
  return findForm({
    action: "/",
    label: "Find images",
    query: choice.q,
    placeholder: "name, tag, platform or digest",
    choices: [
      {
        name: "show",
        label: "Show",
        chosen: choice.show,
        of: [
          { value: "", text: "all images" },
          { value: "unsigned", text: "not signed" },
          { value: "unknown", text: "signatures unknown" },
          { value: "damaged", text: "damaged" },
        ],
      },
      {
        name: "sort",
        label: "Order",
        chosen: choice.sort,
        of: [
          { value: "", text: "by name" },
          { value: "size", text: "largest first" },
          { value: "own", text: "most own bytes first" },
        ],
      },
    ],
  });
}

function imageLegend(hasBroken: boolean): Html {
  return legend([
    { fill: "own", text: "own: bytes that no other image here uses; names of one digest are one image" },
    { fill: "shared", text: "shared with other images here" },
    ...(hasBroken ? [{ fill: "broken" as const, text: "cannot be pulled whole" }] : []),
    { text: "Each bar is one whole image; sizes are in numbers." },
  ]);
}

const SHOWN = {
  unsigned: "that are not signed",
  unknown: "whose signatures are unknown",
  damaged: "that cannot be pulled whole",
};

function foundSentence({ q, show }: ImageChoice, count: number, total: number): Html {
  const words = q !== "" && html` with <strong>${foreign(q)}</strong>`;
  const kind = show !== "" && ` ${SHOWN[show]}`;
  return html`<p role="status">${many(count, "image")} of ${numeral(total)}${words}${kind}. <a href="/">Show all</a></p>`;
}

/**
 * One table a registry, or one for all if they are sorted by size.
 *
 * @param all on all pages
 */
function imageTables(
  shown: readonly ListedImage[],
  { sort }: ImageChoice,
  all: readonly ListedImage[],
  host: string,
): readonly Html[] {
  if (shown.length === 0) return [];
  if (sort !== "") {
    const title = sort === "size" ? "Largest first" : "Most own bytes first";
    return [section("r0", title, undefined, imageTable(shown, "r0", true))];
  }
  const groups = groupedBy(shown, ({ registry }) => registry);
  return [...groups].map(([registry, images], index) => {
    const own = all.filter(image => image.registry === registry);
    const paths = new Set(own.map(({ path }) => path));
    const note = `${many(own.length, "image")} · ${many(paths.size, "repository", "repositories")}`;
    return section(`r${index}`, registry === "" ? host : registry, note, imageTable(images, `r${index}`, false));
  });
}
