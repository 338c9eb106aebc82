import { nearestNames } from "../../../oci/names/nearest-names.ts";
import { html } from "../html/html.ts";
import type { Catalogue } from "../model/catalogue.ts";
import { findForm } from "../parts/find-form.ts";
import { breakable } from "../parts/foreign.ts";
import { imageHref } from "../parts/links.ts";
import type { PageResult } from "./page-result.ts";
import { refusalData } from "./refusal-data.ts";

const MAX_NEAREST = 3;
/** Longer than any name that an image can have. */
const MAX_NAME = 512;

/** The page for a name that no image here has, with those that may have been meant. */
export function imageNotFound(name: string, catalogue: Catalogue): PageResult {
  const nearest = nearestNames(name.slice(0, MAX_NAME), catalogue.images, MAX_NEAREST);
  const list =
    nearest.length > 0 &&
    html`<ul class="measure">${nearest.map(each => html`<li><a href="${imageHref(each)}">${breakable(each)}</a></li>`)}</ul>\n`;
  return {
    status: 404,
    page: () => ({
      title: "No such image",
      place: "images",
      main: html`<div><p class="crumbs">404</p><h1>There is no <span class="tag">${breakable(name.slice(0, MAX_NAME))}</span> here</h1>
<p class="lede">Nothing here has that name. ${nearest.length > 0 && "The nearest names are:"}</p></div>
${list}${findForm({ action: "/", label: "Find images", query: name.slice(0, MAX_NAME), placeholder: "", choices: [] })}
<p class="note">Programs get the same answer as JSON: this page is only for requests that accept <span class="mono">text/html</span>, and never under <span class="mono">/v2/</span>.</p>`,
    }),
    data: () =>
      refusalData({
        code: "MANIFEST_UNKNOWN",
        message: `no image ${name.slice(0, MAX_NAME)} is here`,
        detail: { nearest },
      }),
  };
}
