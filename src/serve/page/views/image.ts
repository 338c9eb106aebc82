import { html } from "../html/html.ts";
import { imageData } from "./image-data.ts";
import { imageNotFound } from "./not-found.ts";
import type { PageRequest, PageResult } from "./page-result.ts";

/** GET /image/NAME: one image in depth. */
export async function imagePage({ catalogue, rest, host }: PageRequest): Promise<PageResult> {
  const all = await catalogue();
  const image = all.find(rest);
  if (image === undefined) return imageNotFound(rest, all);
  return {
    page: () => ({ title: image.name, place: "images", main: html`<h1>${image.name}</h1>` }),
    data: () => imageData(image, host),
  };
}
