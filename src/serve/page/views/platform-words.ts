import type { ListedImage } from "../model/catalogue.ts";

/** Where a column is narrow: `linux/arm64/v8` → `arm64`. Linux is the rule, and arm64 has one variant in practice. */
export function shortPlatform(label: string): string {
  if (label === "") return "not stated";
  return label
    .replace(/^linux\//, "")
    .replace(/^arm64\/v8$/, "arm64")
    .replace(/\([^)]*\)/, "");
}

const ARTIFACTS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/cncf\.helm/, "Helm chart"],
  [/wasm/, "WebAssembly module"],
  [/cyclonedx|spdx|syft/, "SBOM"],
  [/cosign|sigstore|notary/, "signature or attestation"],
  [/in-toto/, "attestation"],
];

/** What an artifact is to a person; "artifact" for a type that is not known. */
export function artifactName({ artifactType = "" }: Pick<ListedImage, "artifactType">): string {
  return ARTIFACTS.find(([pattern]) => pattern.test(artifactType))?.[1] ?? "artifact";
}

export function isHelmChart({ artifactType = "" }: Pick<ListedImage, "artifactType">): boolean {
  return artifactName({ artifactType }) === "Helm chart";
}
