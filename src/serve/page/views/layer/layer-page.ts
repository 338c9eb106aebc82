import { isDigest } from "../../../../oci/digest.ts";
import { capital, shortId } from "../../../../util/format.ts";
import type { Lack } from "../../../content/served-registry.ts";
import { Refusal } from "../../../refusal.ts";
import { type Html, html } from "../../html/html.ts";
import { chosenEntries, type EntryChoice, readEntryChoice } from "../../model/layer/chosen-entries.ts";
import type { LayerEntry } from "../../model/layer/layer-entry.ts";
import type { LayerListing } from "../../model/layer/layer-listing.ts";
import { alert, crumbs, type Fact, facts, section } from "../../parts/blocks.ts";
import { wholeDigest } from "../../parts/digest-code.ts";
import { findForm } from "../../parts/find-form.ts";
import { breakable, foreign } from "../../parts/foreign.ts";
import { shortInstruction } from "../../parts/instruction.ts";
import { imageHref, layerHref } from "../../parts/links.ts";
import { type PageOf, pageCount, pageNumber, pageOf, pager, rangeOf } from "../../parts/pager.ts";
import { bytes, numeral } from "../../parts/quantity.ts";
import { imageNotFound } from "../not-found.ts";
import type { PageRequest, PageResult } from "../page-result.ts";
import { pastTheEnd } from "../past-the-end.ts";
import { findLayer, type ShownLayer } from "./find-layer.ts";
import { filesTable, largestFiles } from "./layer-files.ts";
import { gapSentence, isCounted } from "./layer-words.ts";

/** Entries on a page. */
const PAGE_SIZE = 500;
/** Characters of the instruction that made the layer. */
const MAX_INSTRUCTION = 600;
/** Of a platform. */
const MAX_LABEL = 128;

/** GET /layer/DIGEST?in=IMAGE: the files of a layer, only through an image that has it. */
export async function layerPage(request: PageRequest): Promise<PageResult> {
  const { catalogue, query, rest, registry, signal } = request;
  const all = await catalogue();
  const name = query.get("in") ?? "";
  const image = all.find(name);
  if (image === undefined) return imageNotFound(name, all);
  const found = isDigest(rest) ? await findLayer(request, image, rest) : undefined;
  if (found === undefined) throw new Refusal(404, "BLOB_UNKNOWN", `image ${image.name} has no layer ${rest}`);
  const repository = await registry.repository(image.repository);
  const blob = repository?.blob(found.layer.digest);
  const listing = blob === undefined ? undefined : await request.layers.get(blob, signal);
  if (listing === undefined) return unreadLayer(found, repository?.lack(found.layer.digest));
  return listedLayer(found, listing, readEntryChoice(query), pageNumber(query.get("page")));
}

function listedLayer(shown: ShownLayer, listing: LayerListing, choice: EntryChoice, number: number): PageResult {
  const chosen = chosenEntries(listing.entries, choice);
  const page = pageOf(chosen, number, PAGE_SIZE);
  const pages = pageCount(chosen.length, PAGE_SIZE);
  if (page === undefined) return pastTheEnd("files", pages, pageHref(shown, choice, pages));
  const { unpackedBytes, counts, gap } = listing;
  return {
    page: () => ({ title: titleOf(shown), place: "images", main: layerMain(shown, listing, choice, page) }),
    data: () => ({
      ...layerData(shown),
      unpackedBytes,
      counts,
      gap: gap ?? null,
      page: page.page,
      pages: page.pages,
      entries: page.entries,
    }),
  };
}

function layerData({ image, details, layer, of }: ShownLayer): Readonly<Record<string, unknown>> {
  const { digest, number, size } = layer;
  return { digest, size, image: image.name, platform: details.platform?.label ?? "", layer: number, of };
}

function titleOf({ layer }: ShownLayer): string {
  return `Layer ${layer.number}, ${shortId(layer.digest)}`;
}

function layerMain(shown: ShownLayer, listing: LayerListing, choice: EntryChoice, page: PageOf<LayerEntry>): Html {
  const { largest } = listing;
  const gap = gapSentence(listing);
  const isFirst = page.page === 1 && choice.q === "" && choice.show === "";
  const links = (place: string): Html | undefined =>
    pager("Entries", page, place, number => pageHref(shown, choice, number));
  const hasFiles = listing.gap?.kind !== "not-a-tar";
  const files = html`${findForm(fileForm(shown, choice))}<br>${links("top")}${page.total > 0 ? filesTable(page.entries) : html`<p role="status">No entry fits. <a href="${layerHref(shown.layer.digest, keptValues(shown))}">Show all</a></p>`}`;
  const note = page.total > 0 ? `${rangeOf(page)} entries` : undefined;
  return html`${layerHead(shown)}
${facts(layerFacts(shown, listing))}
${gap !== undefined && html`<p class="note">${gap}</p>\n`}
${isFirst && (largest[0]?.size ?? 0) > 0 && section("largest", "Largest files", "drawn to scale, unpacked bytes", largestFiles(largest))}
${hasFiles && section("files", "Files", note, files)}
${links("bottom")}`;
}

function layerHead({ image, details, step, layer, of }: ShownLayer): Html {
  const label = details.platform?.label ?? "";
  const where = crumbs([
    { text: "Images", href: "/" },
    { text: breakable(image.name), href: imageHref(image.name, { platform: label }) },
    ...(label === "" ? [] : [{ text: foreign(label, MAX_LABEL) }]),
  ]);
  const words =
    step.createdBy !== undefined && html`<p class="lede mono">${shortInstruction(step.createdBy, MAX_INSTRUCTION)}</p>`;
  return html`<div>${where}<h1>Layer ${layer.number} of ${of}</h1>${words}<p>${wholeDigest(layer.digest)}</p></div>`;
}

function layerFacts({ layer: { size, uses } }: ShownLayer, listing: LayerListing): readonly Fact[] {
  const { unpackedBytes, counts, gap } = listing;
  const travels = { name: "compressed, as it travels", value: bytes(size) };
  const users = { name: uses === 1 ? "image uses it" : "images use it", value: numeral(uses) };
  if (gap?.kind === "not-a-tar") return [travels, users];
  const of = isCounted(listing) ? undefined : "or more";
  return [
    travels,
    { name: "unpacked", value: bytes(unpackedBytes), of },
    { name: counts.files === 1 ? "file" : "files", value: numeral(counts.files), of },
    { name: counts.folders === 1 ? "folder" : "folders", value: numeral(counts.folders), of },
    {
      name: counts.deletions === 1 ? "deletion (whiteout)" : "deletions (whiteouts)",
      value: numeral(counts.deletions),
      of,
    },
    users,
  ];
}

function keptValues({ image, details }: ShownLayer): { readonly in: string; readonly platform: string | undefined } {
  return { in: image.name, platform: details.platform?.label };
}

function pageHref(shown: ShownLayer, choice: EntryChoice, page: number): string {
  return layerHref(shown.layer.digest, { ...keptValues(shown), ...choice, page: page === 1 ? undefined : page });
}

function fileForm(shown: ShownLayer, { q, show, sort }: EntryChoice): Parameters<typeof findForm>[0] {
  return {
    action: layerHref(shown.layer.digest),
    label: "Find files",
    query: q,
    placeholder: "part of a path",
    kept: keptValues(shown),
    choices: [
      {
        name: "show",
        label: "Show",
        chosen: show,
        of: [
          { value: "", text: "everything" },
          { value: "deletions", text: "deletions" },
          { value: "setid", text: "set-uid and set-gid" },
          { value: "links", text: "links" },
        ],
      },
      {
        name: "sort",
        label: "Order",
        chosen: sort,
        of: [
          { value: "", text: "by path" },
          { value: "size", text: "largest first" },
        ],
      },
    ],
  };
}

/** Nothing of its bytes is shown: they are not those that the digest names, or they are not here. */
function unreadLayer(shown: ShownLayer, lack: Lack | undefined): PageResult {
  const { size } = shown.layer;
  const title = lack?.kind === "damage" ? "This layer is damaged" : "This layer is not here";
  // Not what was found while it was read: that names files as only the operator may see them.
  const items = lack === undefined ? [] : [html`${foreign(capital(lack.found))}. ${foreign(lack.hint)}`];
  return {
    isKept: false,
    page: () => ({
      title: titleOf(shown),
      place: "images",
      main: html`${alert(title, items, html`Its files cannot be listed. <a href="/damage">See what is damaged and how to fix it</a>`)}
${layerHead(shown)}
${facts([{ name: "compressed, as it travels", value: bytes(size) }])}`,
    }),
    data: () => ({ ...layerData(shown), lack: lack ?? null }),
  };
}
