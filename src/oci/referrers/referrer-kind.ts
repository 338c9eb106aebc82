import type { ManifestView } from "../manifest.ts";
import { parseReferrersTag } from "./referrers-tag.ts";

/** What a manifest that refers to an image is to a person. */
export type ReferrerKind = "signature" | "sbom" | "attestation" | "other";

const SIGNATURE_TYPES: ReadonlySet<string> = new Set([
  "application/vnd.cncf.notary.signature",
  "application/vnd.dev.cosign.artifact.sig.v1+json",
  "application/vnd.dev.cosign.simplesigning.v1+json",
]);
const ATTESTATION_TYPES: ReadonlySet<string> = new Set([
  "application/vnd.in-toto+json",
  "application/vnd.dsse.envelope.v1+json",
  "application/vnd.dev.cosign.artifact.att.v1+json",
  "application/vnd.docker.attestation.manifest.v1+json",
]);
const SBOM_TYPE = /(?:^text\/spdx$|[./]spdx\b|cyclonedx|[./]syft\b|cosign\.artifact\.sbom|[./]sbom\b)/;
const SBOM_PREDICATE = /^https:\/\/(?:spdx\.dev\/Document|cyclonedx\.org\/)/;
const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle";
const SIGNATURE_PREDICATE = "https://sigstore.dev/cosign/sign/v1";

/** Of a sigstore bundle, and of the layer of an attestation, which say what they attest (sigstore/cosign, specs/BUNDLE_SPEC.md). */
const PREDICATE_ANNOTATIONS = ["dev.sigstore.bundle.predicateType", "in-toto.io/predicate-type", "predicateType"];

/** The type of an artifact: its `artifactType`, or else the media type of its config (distribution specification, "Referrers"). */
export function artifactTypeOf(view: ManifestView): string | undefined {
  return view.artifactType ?? (view.kind === "image" ? view.config.mediaType : undefined);
}

/** Tells signatures, SBOMs and attestations apart, by what their tools write. An SBOM in an attestation is an SBOM. */
export function referrerKind(view: ManifestView, tag?: string): ReferrerKind {
  const layers = view.kind === "image" ? view.layers : view.kind === "other" ? view.blobs : [];
  const noted = [view.annotations, ...layers.map(({ annotations }) => annotations)];
  const predicates = PREDICATE_ANNOTATIONS.flatMap(key => noted.flatMap(map => map?.[key] ?? []));
  const suffix = tag === undefined ? undefined : parseReferrersTag(tag)?.suffix;
  const types = [artifactTypeOf(view) ?? "", ...layers.map(({ mediaType }) => mediaType)];
  if (suffix === ".sig") return "signature";
  if (suffix === ".sbom" || predicates.some(type => SBOM_PREDICATE.test(type))) return "sbom";
  if (types.some(type => SIGNATURE_TYPES.has(type))) return "signature";
  const isBundle = types.some(type => type.startsWith(BUNDLE_TYPE));
  if (isBundle && (predicates.length === 0 || predicates.includes(SIGNATURE_PREDICATE))) return "signature";
  if (types.some(type => SBOM_TYPE.test(type))) return "sbom";
  if (suffix === ".att" || isBundle || types.some(type => ATTESTATION_TYPES.has(type))) return "attestation";
  return "other";
}
