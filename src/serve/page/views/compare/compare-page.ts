import { capital } from "../../../../util/format.ts";
import type { ServedPart } from "../../../content/served-registry.ts";
import { type Html, html } from "../../html/html.ts";
import type { Catalogue, ListedImage } from "../../model/catalogue.ts";
import { findPart, idDigits } from "../../model/find-part.ts";
import { foreign } from "../../parts/foreign.ts";
import { bundleFiles, bundleKey, bundleName, deltaSentences } from "../bundle-words.ts";
import { imageNotFound } from "../not-found.ts";
import type { PageRequest, PageResult } from "../page-result.ts";
import { refusalData } from "../refusal-data.ts";
import { compareTwoBundles } from "./compare-bundles.ts";
import { compareImages } from "./compare-images.ts";
import { type CompareChoice, compareForm, readCompareChoice, suggestions } from "./compare-parts.ts";

/** GET /compare?a=&b=: what a place that has A needs to get B: two images, or two bundles. */
export async function comparePage(request: PageRequest): Promise<PageResult> {
  const catalogue = await request.catalogue();
  const choice = readCompareChoice(request.query);
  const { a, b } = choice;
  if (a === "" || b === "") return nothingChosen(catalogue, choice);
  const [own, other] = [meant(catalogue, a), meant(catalogue, b)];
  if (own === undefined) return notFound(catalogue, a, choice);
  if (other === undefined) return notFound(catalogue, b, choice);
  if ("part" in own && "part" in other) return await compareTwoBundles(request, catalogue, own.part, other.part);
  if ("image" in own && "image" in other)
    return await compareImages(request, catalogue, own.image, other.image, choice);
  return refused(
    catalogue,
    choice,
    400,
    `${"part" in own ? "A is a bundle, and B an image" : "A is an image, and B a bundle"}: expected two images or two bundles`,
  );
}

type Meant = { readonly part: ServedPart } | { readonly image: ListedImage };

function meant(catalogue: Catalogue, text: string): Meant | undefined {
  const part = findPart(catalogue.parts, text);
  if (part !== undefined) return { part };
  const image = catalogue.find(text);
  return image && { image };
}

function nothingChosen(catalogue: Catalogue, choice: CompareChoice): PageResult {
  const { parts } = catalogue;
  const bundles = parts.length > 1 && " Bundles are named by the first 12 digits of their ids, or by a file.";
  return {
    page: () => ({
      title: "Compare",
      place: "compare",
      main: html`<div><p class="crumbs">Compare</p><h1>What does B have that A does not?</h1><p class="lede">Name two images as they are called in the list${parts.length > 1 && ", or two bundles"}.${bundles} The page of an image has a link that compares it with the version before.</p></div>
${compareForm(choice, suggestions(catalogue))}${servedBundles(parts)}`,
    }),
    data: () => ({ a: null, b: null, bundles: parts.map(({ id, files }) => ({ id: id ?? null, files })) }),
  };
}

/** Which bundles can be named; of one alone, how there can be two. */
function servedBundles(parts: readonly ServedPart[]): Html | false {
  if (parts.length === 0) return false;
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) {
    return html`<p class="note">One bundle is served here, ${bundleName(only)}. To compare it with its base, start imgpack serve with the files of the base, too.</p>`;
  }
  const rows = parts.map(
    part => html`<li>${bundleName(part)}${part.id !== undefined && html`, ${bundleFiles(part)}`}</li>`,
  );
  const deltas = deltaSentences(parts).map(sentence => html`<p>${sentence}</p>\n`);
  return html`<section aria-labelledby="bundles"><div class="head"><h2 id="bundles">Bundles here</h2></div><ul>${rows}</ul>${deltas}</section>`;
}

function notFound(catalogue: Catalogue, text: string, choice: CompareChoice): PageResult {
  const { parts } = catalogue;
  if (idDigits(text) === undefined || parts.length === 0) return imageNotFound(text, catalogue);
  return refused(catalogue, choice, 404, `no bundle ${text} is served here`);
}

function refused(catalogue: Catalogue, choice: CompareChoice, status: 400 | 404, message: string): PageResult {
  const { parts } = catalogue;
  return {
    status,
    page: () => ({
      title: status === 404 ? "No such bundle" : "This cannot be compared",
      place: "compare",
      main: html`<div><p class="crumbs">${status}</p><h1>${status === 404 ? "There is no such bundle here" : "This cannot be compared"}</h1><p class="lede">${foreign(capital(message))}.</p></div>
${compareForm(choice, suggestions(catalogue))}${servedBundles(parts)}`,
    }),
    data: () =>
      refusalData({
        code: status === 404 ? "MANIFEST_UNKNOWN" : "UNSUPPORTED",
        message,
        detail: { bundles: parts.map(bundleKey) },
      }),
  };
}
