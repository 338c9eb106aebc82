import type { Diagnosis } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";
import { faultText } from "./fault-text.ts";
import { absentLayer, imageNames } from "./image-names.ts";

/** A diagnosis as text: what the archive is and contains, what is wrong, which tools load it, what to do. */
export function* diagnosisLines(diagnosis: Diagnosis): Generator<string> {
  const { archive, bytes, compression, form, producer, images, loaders, notes, verified, repaired } = diagnosis;
  const packed = compression === "none" ? "" : `, ${compression}`;
  yield `Archive    ${escapeForeign(archive)}, ${formatBytes(bytes)}${packed}`;
  yield `Format     ${FORMATS[form]}`;
  yield `Made by    probably ${producer.name}: ${producer.because}`;
  for (const note of notes) yield `Note       ${note}`;
  for (const image of images) yield* imageLines(image);
  for (const { loader, loads, why } of loaders) {
    yield `${loads ? "Loads in " : "Not in   "}  ${loader}${loads ? "" : `: ${why.join("; ")}`}`;
  }
  if (verified !== undefined) {
    const { faults, unchecked, blobs } = verified;
    for (const fault of faults) yield `Fault      ${faultText(fault)}`;
    for (const text of unchecked) yield `Note       ${text}`;
    if (faults.length === 0) yield `Content    ${counted(blobs, "blob")}, all match their digests`;
  }
  if (repaired !== undefined) {
    const { output, blobBytes } = repaired;
    yield `Repaired   ${escapeForeign(output)}: ${counted(repaired.images.length, "image")}, ${formatBytes(blobBytes)}`;
    for (const image of images) if (!image.isWhole) yield `Left out   ${nameOf(image)}`;
  }
  for (const advice of advices(diagnosis)) yield `Advice     ${advice}`;
}

type Image = Diagnosis["images"][number];

function* imageLines(image: Image): Generator<string> {
  const { platforms, absent, isWhole, problem } = image;
  yield `Image      ${nameOf(image)}`;
  for (const { platform, layers } of platforms) {
    const size = formatBytes(layers.reduce((sum, layer) => sum + layer.size, 0));
    const what = escapeForeign(platform ?? "not an image");
    yield `           ${what}: ${counted(layers.length, "layer")}, ${size}`;
    for (const layer of layers) yield* absentLayer(layer).map(text => `           ${text}`);
  }
  if (absent.length > 0) yield `           missing: ${absent.map(text => escapeForeign(text)).join(", ")}`;
  // Foreign text in messages is escaped already.
  if (!isWhole) yield `           incomplete: ${problem ?? "parts are missing or altered"}`;
}

function nameOf(image: Image): string {
  const { digest, platforms } = image;
  return imageNames(image) || `${digest ?? platforms[0]?.config ?? ""} (no name)`.trimStart();
}

const FORMATS: Readonly<Record<Diagnosis["form"], string>> = {
  docker: "docker archive (manifest.json)",
  oci: "OCI layout",
  "docker+oci": "docker archive and OCI layout in one",
  dir: '"dir:" of skopeo and podman',
  legacy: "docker archive of Docker 1.9 or older",
};

function* advices({ archive, loaders, images, verified, repaired }: Diagnosis): Generator<string> {
  const file = archive === "-" ? "FILE" : shellWord(archive);
  const broken = images.filter(({ isWhole }) => !isWhole);
  const isAltered = verified?.faults.some(({ kind }) => kind !== "missing") === true;
  if (isAltered) yield "copy the archive again from its source: its content was altered";
  else if (broken.length > 0) yield "pull the image with all its layers, then save it again";
  const lacksForeign = images.some(({ platforms }) =>
    platforms.some(({ layers }) => layers.some(({ absentFrom }) => absentFrom !== undefined)),
  );
  if (lacksForeign) yield "for all layers, pull the image with --foreign fetch where its publisher can be reached";
  const named = images.filter(({ isWhole }) => isWhole);
  if (images.length === 1 && named.length === 1 && named[0]?.names.length === 0)
    yield `give it a name: imgpack convert ${file} named.tar --tag NAME:TAG`;
  if (repaired !== undefined || named.length === 0 || isAltered) return;
  const reasons = loaders.flatMap(({ why }) => why);
  const fixable = reasons.filter(why => !NOT_FIXABLE.test(why));
  if (fixable.length === 0 || reasons.includes(NO_IMAGE) || lacksForeign) return;
  const layers = fixable.some(why => /^layers are .*zstd/.test(why)) ? " --layers gzip" : "";
  const what = broken.length > 0 ? "save the complete images" : "make an archive that every runtime loads";
  const saved = archive === "-" ? "save it to FILE, then " : "";
  yield `${saved}${what}: imgpack doctor ${file} --repair clean.tar${layers}`;
}

/** No form of archive makes an artifact an image. */
const NO_IMAGE = "there is no image in it";

/** Reasons that remain in every other archive of the same images. */
const NOT_FIXABLE = /has no name|without a name|no image in it|machine's platform|--no-unpack|larger than 1 MiB/;

/** A path quoted for a shell; FILE for one that cannot be printed. */
function shellWord(path: string): string {
  if (/^[\w./@%+=:,][\w./@%+=:,-]*$/.test(path)) return path;
  if (escapeForeign(path, Number.MAX_SAFE_INTEGER) !== path || path.startsWith("-")) return "FILE";
  return `'${path.replaceAll("'", "'\\''")}'`;
}
