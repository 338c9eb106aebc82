import { groupedBy } from "../../../util/append.ts";
import type { FoundDamage } from "../../content/served-registry.ts";
import { type Html, html } from "../html/html.ts";
import type { BrokenBlob, Catalogue, ListedImage } from "../model/catalogue.ts";
import { foreign } from "../parts/foreign.ts";
import { many, numeral } from "../parts/quantity.ts";

/** `3 of 22 images cannot be pulled whole` */
export function faultTitle({ images, totals }: Catalogue): string {
  if (totals.broken === 0) return "Some bytes are damaged, but no image here needs them";
  return `${numeral(totals.broken)} of ${many(images.length, "image")} cannot be pulled whole`;
}

/** Sentences of one kind that a page shows: in a store, each damaged blob is a file. */
const MAX_SENTENCES = 20;

/** A sentence for each volume that is not here, and for each file that is damaged, as far as a page shows them. */
export function faultSentences({ images, bundle }: Catalogue, damage: readonly FoundDamage[]): readonly Html[] {
  const { missing = [], of = 0 } = bundle?.volumes ?? {};
  const byVolume = countImages(images, ({ volumes }) => volumes);
  const volumes = missing.map(number => {
    const count = byVolume.get(number) ?? 0;
    const need = count === 1 ? "1 image needs it" : `${numeral(count)} images need it`;
    return html`Volume ${number} of ${of} is missing: ${need}.`;
  });
  const paths = new Map(damage.flatMap(({ digest, path }) => (digest === undefined ? [] : [[digest, path] as const])));
  const byPath = countImages(images, ({ digest }) => paths.get(digest) ?? []);
  const damaged = [...groupedBy(damage, ({ path }) => path)].map(([path, found]) =>
    damagedFile(path, found, byPath.get(path) ?? 0),
  );
  const assumed = images.filter(({ broken }) => broken.some(({ why }) => why === "assumed")).length;
  const base =
    assumed > 0 &&
    html`${many(assumed, "image has", "images have")} layers that a delta leaves to its base, which is not served here.`;
  return [
    ...firstOf(volumes, "missing volume"),
    ...firstOf(damaged, "damaged file"),
    ...(base === false ? [] : [base]),
  ];
}

/** Number of images that have a broken blob with the key. */
function countImages<K extends string | number>(
  images: readonly ListedImage[],
  keysOf: (blob: BrokenBlob) => K | readonly K[],
): ReadonlyMap<K, number> {
  const counts = new Map<K, number>();
  for (const { broken } of images) {
    const keys = new Set(broken.flatMap(keysOf));
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function damagedFile(path: string, found: readonly FoundDamage[], affected: number): Html {
  if (found.some(({ hasChanged }) => hasChanged))
    return html`${fileName(path)} has changed since the server was started, and nothing of it is sent. Start the server again.`;
  const digests = new Set(found.flatMap(({ digest }) => digest ?? []));
  const what =
    digests.size === 0
      ? "what is in it is not what was written"
      : `${many(digests.size, "blob")} in it ${digests.size === 1 ? "is not what its digest says" : "are not what their digests say"}`;
  return html`${fileName(path)}: ${what}. ${affected === 0 ? "No image needs it." : `${many(affected, "image is", "images are")} affected.`}`;
}

function firstOf(sentences: readonly Html[], what: string): readonly Html[] {
  const rest = sentences.length - MAX_SENTENCES;
  return rest <= 0 ? sentences : [...sentences.slice(0, MAX_SENTENCES), html`${many(rest, `more ${what}`)}.`];
}

/** The name of a file without the folders before it, which concern no client. */
export function fileName(path: string): Html {
  return html`<span class="mono">${foreign(plainFileName(path))}</span>`;
}

export function plainFileName(path: string): string {
  return path.replace(/[/\\]+$/, "").replace(/^.*[/\\]/s, "");
}

/** Why an image cannot be pulled whole, in a few words; undefined if it can. */
export function brokenWords({ broken }: ListedImage): string | undefined {
  const [first] = broken;
  if (first === undefined) return undefined;
  const damaged = broken.filter(({ why }) => why === "damaged" || why === "unreadable");
  if (damaged.length > 0) return `${blobsWords(damaged)} damaged`;
  if (first.why === "assumed") return `${blobsWords(broken)} in its base`;
  const volumes = [...new Set(broken.flatMap(each => each.volumes))].sort((left, right) => left - right);
  if (volumes.length === 0) return `${blobsWords(broken)} not here`;
  return `part of it is on volume${volumes.length === 1 ? "" : "s"} ${listed(volumes)}, missing`;
}

/** `layer 4 is`, `layers 4 and 5 are`, `its manifest is`, `3 blobs are` */
export function blobsWords(broken: readonly BrokenBlob[]): string {
  const layers = [...new Set(broken.flatMap(({ layer }) => layer ?? []))].sort((left, right) => left - right);
  const [first] = broken;
  if (layers.length === 0 && broken.length === 1) return `its ${first?.kind ?? "manifest"} is`;
  // Of several platforms: their layers have the same numbers.
  if (layers.length !== broken.length) return `${many(broken.length, "blob")} ${broken.length === 1 ? "is" : "are"}`;
  return layers.length === 1 ? `layer ${layers[0]} is` : `layers ${listed(layers)} are`;
}

const MAX_LISTED = 8;

function listed(numbers: readonly number[]): string {
  if (numbers.length > MAX_LISTED)
    return `${numbers.slice(0, MAX_LISTED).join(", ")} and ${numbers.length - MAX_LISTED} more`;
  if (numbers.length < 2) return numbers.join("");
  return `${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}`;
}

/** What is wrong with one blob, next to it. */
export function brokenBlobWords({ why, found, volumes }: BrokenBlob): Html {
  if (why === "damaged") return html`damaged${found !== undefined && html`: ${foreign(found, MAX_FOUND)}`}`;
  if (why === "unreadable") return html`no manifest that can be read`;
  if (why === "assumed") return html`left to the base of the delta, which is not served here`;
  if (volumes.length > 0) return html`missing: on volume${volumes.length > 1 && "s"} ${listed(volumes)}`;
  return html`missing${found !== undefined && html`: ${foreign(found, MAX_FOUND)}`}`;
}

/** Characters of what was found in place of something. */
const MAX_FOUND = 200;
