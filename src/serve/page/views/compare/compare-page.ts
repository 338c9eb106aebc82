import { html } from "../../html/html.ts";
import { imageNotFound } from "../not-found.ts";
import type { PageRequest, PageResult } from "../page-result.ts";
import { compareImages, namesOf } from "./compare-images.ts";
import { compareForm, readCompareChoice } from "./compare-parts.ts";

/** GET /compare?a=&b=: what a place that has A needs to get B. */
export async function comparePage(request: PageRequest): Promise<PageResult> {
  const catalogue = await request.catalogue();
  const choice = readCompareChoice(request.query);
  const { a, b } = choice;
  if (a === "" || b === "") {
    const form = compareForm(choice, namesOf(catalogue));
    return {
      page: () => ({
        title: "Compare",
        place: "compare",
        main: html`<div><p class="crumbs">Compare</p><h1>What does B have that A does not?</h1><p class="lede">Name two images as they are called in the list. The page of an image has a link that compares it with the version before.</p></div>
${form}`,
      }),
      data: () => ({ a: null, b: null }),
    };
  }
  const [own, other] = [catalogue.find(a), catalogue.find(b)];
  if (own === undefined) return imageNotFound(a, catalogue);
  if (other === undefined) return imageNotFound(b, catalogue);
  return await compareImages(request, catalogue, own, other, choice);
}
