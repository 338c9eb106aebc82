import { html } from "../html/html.ts";
import { many } from "../parts/quantity.ts";
import type { NavPlace } from "./frame.ts";
import type { PageResult } from "./page-result.ts";
import { refusalData } from "./refusal-data.ts";

/**
 * The answer for a page of a list that does not exist.
 *
 * @param what the entries of the list: "images"
 * @param pages number of pages that exist
 * @param lastHref link to the last of them
 */
export function pastTheEnd(what: string, pages: number, lastHref: string, place: NavPlace = "images"): PageResult {
  return {
    status: 404,
    page: () => ({
      title: `No such page of ${what}`,
      place,
      main: html`<div><p class="crumbs">404</p><h1>The list ends before this page</h1><p class="lede">It has ${many(pages, "page")}. <a href="${lastHref}">Go to the last one</a></p></div>`,
    }),
    data: () =>
      refusalData({
        code: "PAGINATION_NUMBER_INVALID",
        message: `there is no such page, expected at most ${pages}`,
        detail: undefined,
      }),
  };
}
