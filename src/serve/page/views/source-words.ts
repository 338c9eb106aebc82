import { shortId } from "../../../util/format.ts";
import { type Html, html } from "../html/html.ts";
import type { Catalogue } from "../model/catalogue.ts";
import { spokenId } from "../parts/digest-code.ts";
import { many, numeral } from "../parts/quantity.ts";
import { deltaSentences } from "./bundle-words.ts";
import { fileName, plainFileName } from "./fault-words.ts";

/** What is served, as a heading: a bundle by its id, a store by its folder, archives by their names. */
export function sourceHeading(
  { bundle, id }: Catalogue,
  store: string | undefined,
): { readonly kind: string; readonly name: Html } {
  if (bundle === undefined) return { kind: "Store", name: html`${store ?? "this store"}` };
  if (id !== undefined) return { kind: "Bundle", name: spokenId(id) };
  const [first, ...rest] = bundle.files;
  const more = rest.length > 0 && ` and ${many(rest.length, "more file", "more files")}`;
  return {
    kind: bundle.files.length === 1 ? "Archive" : "Archives",
    name: html`${fileName(first?.name ?? "")}${more}`,
  };
}

/** The same, for the title of the window. */
export function sourceTitle({ bundle, id }: Catalogue, store: string | undefined): string {
  if (bundle === undefined) return `Store ${store ?? ""}`.trim();
  return id === undefined ? plainFileName(bundle.files[0]?.name ?? "") : `Bundle ${shortId(id)}`;
}

/** `22 images from 4 registries, served from 6 volumes, all present.` */
export function sourceSentence({ images, bundle, parts }: Catalogue): Html {
  const registries = new Set(images.map(({ registry }) => registry));
  const from = registries.size > 1 && ` from ${many(registries.size, "registry", "registries")}`;
  const deltas = deltaSentences(parts).map(sentence => html` ${sentence}`);
  return html`${many(images.length, "image")}${from}${filesWords(bundle)}.${deltas}`;
}

function filesWords(bundle: Catalogue["bundle"]): string {
  if (bundle === undefined) return "";
  const { volumes, files } = bundle;
  if (volumes === undefined) return `, served from ${many(files.length, "file")}`;
  const { of, missing } = volumes;
  if (missing.length > 0) return `, served from ${numeral(of - missing.length)} of ${many(of, "volume")}`;
  return `, served from ${many(of, "volume")}, all present`;
}
