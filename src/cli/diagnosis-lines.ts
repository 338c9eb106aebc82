import type { Diagnosis } from "../index.ts";
import { escapeForeign, formatBytes } from "../util/format.ts";

/** A diagnosis for people: what it is, what is in it, what is wrong, who loads it. */
export function* diagnosisLines(diagnosis: Diagnosis): Generator<string> {
  const { archive, bytes, compression, form, producer, images, loaders, notes, verified, repaired } = diagnosis;
  yield `Archive    ${escapeForeign(archive)}, ${formatBytes(bytes)}${compression === "none" ? "" : `, ${compression}`}`;
  yield `Form       ${FORMS[form]}`;
  yield `Made by    ${producer.name}, it seems: ${producer.because}`;
  for (const note of notes) yield `Note       ${note}`;
  for (const { names, digest, platforms, absent, isWhole } of images) {
    const name = names.length === 0 ? (digest ?? "(no name)") : names.map(text => escapeForeign(text)).join(", ");
    yield `Image      ${name}`;
    for (const { platform, layers } of platforms) {
      const size = formatBytes(layers.reduce((sum, layer) => sum + layer.size, 0));
      yield `           ${escapeForeign(platform ?? "no image, another artifact")}: ${layers.length} layers, ${size}`;
    }
    if (absent.length > 0) yield `           not here: ${absent.map(text => escapeForeign(text)).join(", ")}`;
    if (!isWhole) yield "           layers are missing: no runtime can run it";
  }
  for (const { loader, loads, why } of loaders) {
    yield `${loads ? "Loads in " : "Not in   "}  ${loader}${loads ? "" : `: ${why.join("; ")}`}`;
  }
  if (verified !== undefined) {
    const { faults, unchecked, blobs } = verified;
    for (const { kind, blob, found, expected } of faults) {
      yield `Fault      ${kind}: ${blob}: found ${escapeForeign(found, 1000)}, expected ${expected}`;
    }
    for (const text of unchecked) yield `Note       ${text}`;
    if (faults.length === 0) yield `Content    ${blobs} blobs, all as their digests say`;
  }
  if (repaired !== undefined) {
    yield `Repaired   ${escapeForeign(repaired.output)}: ${repaired.images.length} images, ${formatBytes(repaired.blobBytes)}`;
  }
  for (const advice of advices(diagnosis)) yield `Do         ${advice}`;
}

const FORMS: Readonly<Record<Diagnosis["form"], string>> = {
  docker: "docker archive (manifest.json)",
  oci: "OCI layout",
  "docker+oci": "docker archive and OCI layout in one",
  dir: '"dir:" of skopeo and podman',
  legacy: "docker archive of Docker 1.9 or older",
};

function* advices({ archive, loaders, images, verified, repaired }: Diagnosis): Generator<string> {
  const file = escapeForeign(archive);
  if (verified !== undefined && verified.faults.length > 0)
    yield "copy the archive again from its source: its content was altered";
  if (images.some(({ isWhole }) => !isWhole)) yield "pull the image with all its layers, and save it again";
  if (images.some(({ names }) => names.length === 0))
    yield `give it a name: imgpack push ${file} --tag REGISTRY/REPOSITORY:TAG`;
  const refused = loaders.filter(({ loads }) => !loads).map(({ why }) => why.join());
  if (repaired !== undefined || refused.length === 0 || images.every(({ isWhole }) => !isWhole)) return;
  const layers = refused.some(why => why.includes("layers are")) ? " --layers gzip" : "";
  yield `make one that every runtime loads: imgpack doctor ${file} --repair clean.tar${layers}`;
}
