import { type Html, html, type Part } from "../../html/html.ts";
import type { Catalogue, ListedImage } from "../../model/catalogue.ts";
import { type ImageDetails, readImageDetails } from "../../model/image-details.ts";
import { alert, crumbs } from "../../parts/blocks.ts";
import { cutDigest } from "../../parts/digest-code.ts";
import { breakable } from "../../parts/foreign.ts";
import { href } from "../../parts/links.ts";
import { bytes, many } from "../../parts/quantity.ts";
import { brokenBlobWords } from "../fault-words.ts";
import { imageData } from "../image-data.ts";
import { imageNotFound } from "../not-found.ts";
import type { PageRequest, PageResult } from "../page-result.ts";
import { artifactName } from "../platform-words.ts";
import { attachedSection } from "./attached.ts";
import { configSections } from "./image-config.ts";
import { layersSection } from "./image-layers.ts";
import { identitySection, platformsSection } from "./image-parts.ts";
import { pullSection } from "./pull-commands.ts";

/** GET /image/NAME: one image in depth. */
export async function imagePage(request: PageRequest): Promise<PageResult> {
  const { registry, rest, query, host, signal } = request;
  const catalogue = await request.catalogue();
  const image = catalogue.find(rest);
  if (image === undefined) return imageNotFound(rest, catalogue);
  const details = await readImageDetails(registry, catalogue, image, query.get("platform") ?? undefined, signal);
  return {
    page: () => ({ title: image.name, place: "images", main: imageMain(request, catalogue, image, details) }),
    data: () => ({
      ...imageData(image, host),
      platform: details.platform?.label ?? null,
      steps: details.steps,
      config: details.config ?? null,
    }),
  };
}

function imageMain(request: PageRequest, catalogue: Catalogue, image: ListedImage, details: ImageDetails): Html {
  const { registry, path, tag, digest } = image;
  const where = crumbs([
    { text: "Images", href: "/" },
    ...(registry === "" ? [] : [{ text: registry, href: href("/", { q: `${registry}/` }) }]),
    { text: path, href: href("/", { q: registry === "" ? path : `${registry}/${path}` }) },
  ]);
  const version = tag === undefined ? html`@${breakable(digest)}` : html`:${tag}`;
  return html`${image.broken.length > 0 && brokenAlert(image)}
<div>${where}<h1>${breakable(path)}<span class="tag">${version}</span></h1><p class="lede">${sentence(image)}${compareLink(catalogue, image)}</p>${jumps(image)}</div>
<div class="split"><div>
${!image.isArtifact && platformsSection(image, details)}
${layersSection(image, details)}
${attachedSection(image)}
${configSections(details)}
</div><div>
${pullSection(image, request)}
${identitySection(image, details)}
</div></div>`;
}

const MAX_LISTED = 10;

function brokenAlert({ broken }: ListedImage): Html {
  const items = broken.slice(0, MAX_LISTED).map(blob => {
    const name = blob.layer === undefined ? `The ${blob.kind}` : `Layer ${blob.layer}`;
    return html`${name}: ${brokenBlobWords(blob)}.`;
  });
  const more = broken.length > MAX_LISTED ? [html`${many(broken.length - MAX_LISTED, "more blob")}.`] : [];
  return alert(
    "This image cannot be pulled whole",
    [...items, ...more],
    html`Damaged bytes are never sent. <a href="/damage#fix">How to fix it</a>`,
  );
}

/** What a pull costs, and what is known of signatures. */
function sentence(image: ListedImage): Part {
  const { bytes: size, ownBytes, platforms, isArtifact } = image;
  const carried = platforms.filter(({ state }) => state !== "left out").length;
  if (isArtifact) {
    const name = artifactName(image);
    const article = /^[aeiou]|^SB/i.test(name) ? "An" : "A";
    return `${article} ${name}, not a container image: container engines cannot run it. ${bytes(size)}. ${attachedWords(image)}`;
  }
  const all = carried > 1 ? ` for ${carried === 2 ? "both" : `all ${carried}`} platforms` : "";
  const own = ownBytes === size ? "all of it" : `${bytes(ownBytes)} of it`;
  const sharing = size === 0 ? "" : `, ${own} in no other image here`;
  return `${bytes(size)} to pull${all}${sharing}. ${attachedWords(image)}`;
}

function attachedWords({ attached, signatures, locked }: ListedImage): string {
  const count = (kind: string): number => attached.filter(each => each.kind === kind).length;
  const words = [
    typeof signatures === "number" && many(signatures, "signature"),
    count("sbom") > 0 && many(count("sbom"), "SBOM"),
    count("attestation") > 0 && many(count("attestation"), "attestation"),
  ].filter(Boolean);
  const found = words.length > 0 ? `${words.join(", ")}. ` : "";
  if (signatures === "none") return `${found}Not signed.`;
  if (signatures !== "unknown") return found;
  const why =
    locked?.lookup === "refused" ? "the source registry refused the question" : "the source registry cannot list them";
  return `${found}Signatures unknown: ${why}.`;
}

/** The tag before this one, in the order of versions, or else the one after it. */
function compareLink({ images }: Catalogue, image: ListedImage): Html | false {
  if (image.isArtifact) return false;
  const isOther = ({ registry, path, digest, isArtifact }: ListedImage): boolean =>
    registry === image.registry && path === image.path && !isArtifact && digest !== image.digest;
  const at = images.indexOf(image);
  const other = images.slice(at + 1).find(isOther) ?? images.slice(0, at).findLast(isOther);
  if (other === undefined) return false;
  return html` <a href="${href("/compare", { a: other.name, b: image.name })}">Compare with ${other.tag ?? cutDigest(other.digest)}</a>`;
}

function jumps({ isArtifact }: ListedImage): Html {
  const links = [
    ["pull", "Pull"],
    ["layers", isArtifact ? "Content" : "Layers"],
    ["attached", "Attached"],
    ["identity", "Identity"],
  ] as const;
  return html`<nav class="jump small" aria-label="On this page">${links.map(([id, text]) => html`<a href="#${id}">${text}</a>`)}</nav>`;
}
