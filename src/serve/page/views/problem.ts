import { capital } from "../../../util/format.ts";
import type { Refusal } from "../../refusal.ts";
import { html } from "../html/html.ts";
import { foreign } from "../parts/foreign.ts";
import type { PageResult } from "./page-result.ts";
import { refusalData } from "./refusal-data.ts";

/** What is wrong with a request, for a person who followed a link or typed an address. */
export function problemPage(refusal: Refusal): PageResult {
  const { status, message } = refusal;
  const title = status === 404 ? "There is no such page" : "This cannot be answered";
  return {
    status,
    page: () => ({
      title,
      main: html`<div><p class="crumbs">${status}</p><h1>${title}</h1><p class="lede">${foreign(capital(message))}.</p></div>
<p><a href="/">All images</a></p>`,
    }),
    data: () => refusalData(refusal),
  };
}
