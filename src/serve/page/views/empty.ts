import { html } from "../html/html.ts";
import type { Catalogue } from "../model/catalogue.ts";
import { commandLine } from "../parts/blocks.ts";
import type { PageContent } from "./frame.ts";
import type { PageRequest } from "./page-result.ts";
import { sourceHeading, sourceTitle } from "./source-words.ts";

/** The index without images: what to do about it. */
export function emptyPage({ store, host, isReadOnly }: PageRequest, catalogue: Catalogue): PageContent {
  const { kind, name } = sourceHeading(catalogue, store);
  const drawing = html`<svg width="64" height="56" viewBox="0 0 20 18" aria-hidden="true" focusable="false"><path d="M1 1h18v4H1zM1 7h12v3H1zM1 12h15v4H1z"/></svg>`;
  const ways = isReadOnly
    ? html`<p class="soft measure">These files have no images that can be pulled by a name. Start again with other archives; then this page lists them.</p>`
    : html`<p class="soft measure">This store is empty and ready. Push an archive into it, or start again with the archives that you have; then this page lists them.</p>
${commandLine(html`imgpack push bundle.tar --registry ${host}`)}`;
  return {
    title: sourceTitle(catalogue, store),
    place: "images",
    main: html`<div><p class="crumbs">${kind}</p><h1>${name}</h1></div>
<div class="panel nothing">${drawing}<h2>No images yet</h2>${ways}${commandLine("imgpack serve bundle.tar")}</div>`,
  };
}
