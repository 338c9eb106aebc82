import { ANNOTATION_CREATED } from "../../../../oci/annotations.ts";
import { type Html, html, type Part } from "../../html/html.ts";
import type { ListedImage, ListedPlatform } from "../../model/catalogue.ts";
import type { ImageDetails } from "../../model/image-details.ts";
import { keyValues, section } from "../../parts/blocks.ts";
import { wholeDigest } from "../../parts/digest-code.ts";
import { breakable, foreign } from "../../parts/foreign.ts";
import { imageHref } from "../../parts/links.ts";
import { bytes, many, numeral } from "../../parts/quantity.ts";
import { state } from "../../parts/state.ts";

/** An index may name tens of thousands. */
const MAX_PLATFORMS = 200;

/** All platforms that the image names; those that are here are links. */
export function platformsSection(image: ListedImage, { platform: shown }: ImageDetails): Html {
  const { platforms } = image;
  const left = platforms.filter(({ state }) => state === "left out").length;
  const here = platforms.length - left;
  const note = `${many(here, "platform")} here${left > 0 ? `, ${numeral(left)} left out` : ""}`;
  const cards = platforms.slice(0, MAX_PLATFORMS).map(each => html`<li>${platformCard(image, each, shown)}</li>`);
  const more =
    platforms.length > MAX_PLATFORMS &&
    html`<p class="note small">The first ${numeral(MAX_PLATFORMS)} of ${numeral(platforms.length)} are shown.</p>`;
  return section("platforms", "Platforms", note, html`<ul class="plats">${cards}</ul>`, more);
}

function platformCard(
  { name, platforms }: ListedImage,
  platform: ListedPlatform,
  shown: ListedPlatform | undefined,
): Html {
  const { label, digest, layers, bytes: size, state: how } = platform;
  const title = label === "" ? "platform not stated" : foreign(label, MAX_LABEL);
  if (how === "left out") {
    return html`<span class="off"><b>${title}</b><small>named by the image, not here</small></span>`;
  }
  const isUnique = label !== "" && platforms.filter(each => each.label === label).length === 1;
  const link = imageHref(name, { platform: isUnique ? label : digest });
  const words = how === "broken" && html`<br>${state("bad", "not whole")}`;
  return html`<a href="${link}"${platform === shown && html` aria-current="true"`}><b>${title}</b><small>${many(layers, "layer")} &middot; ${bytes(size)}</small>${words}</a>`;
}

const MAX_LABEL = 128;

/** Digests, type, date and name of the image, to compare with what others say. */
export function identitySection(image: ListedImage, { platform, config, annotations }: ImageDetails): Html {
  const { digest, mediaType, isArtifact, artifactType, name } = image;
  const created = config?.created ?? annotations[ANNOTATION_CREATED];
  const pairs: [string, Part][] = [["Digest", wholeDigest(digest)]];
  if (platform !== undefined && platform.digest !== digest) pairs.push(["This platform", wholeDigest(platform.digest)]);
  if (mediaType !== "") pairs.push(["Type", html`<code>${foreign(mediaType, MAX_LABEL)}</code>`]);
  if (isArtifact)
    pairs.push([
      "Artifact type",
      artifactType === undefined ? "not stated" : html`<code>${foreign(artifactType, MAX_LABEL)}</code>`,
    ]);
  pairs.push(
    ["Created", created === undefined ? "not stated" : dateText(created)],
    ["From", html`<code>${breakable(name)}</code>`],
  );
  return html`<section aria-labelledby="identity"><h2 id="identity" class="head">Identity</h2>${keyValues(pairs)}</section>`;
}

/** `2026-11-19 08:41 UTC`; what is no date is shown as it is. */
function dateText(text: string): Part {
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text);
  const time = isDate ? new Date(text) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) return foreign(text, MAX_LABEL);
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
